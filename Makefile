# `make test` does everything, on a fresh machine with Rust: it installs what is missing, and fails with the reason
# where it cannot. Plain `cargo test --workspace` does the same work where nothing is missing.

CARGO ?= cargo

.PHONY: test clients lint bench fuzz

test: clients
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
		$(CARGO) nextest run --workspace --locked && $(CARGO) test --workspace --locked --doc; \
	else \
		$(CARGO) test --workspace --locked; \
	fi

# The clients that the end-to-end tests drive, below target/clients (see docs/clients.md). What is there is kept.
clients := target/clients
clients: $(clients)/kubectl.installed $(clients)/python.installed $(clients)/node.installed $(clients)/registry.installed

$(clients)/python.installed: tests/clients/python/requirements.txt
$(clients)/node.installed: tests/clients/node/package.json tests/clients/node/package-lock.json
$(clients)/%.installed: tests/clients/install
	@tests/clients/install $*

# As continuous integration sees it: format, lints, tests.
lint:
	./.ci/run lint

# By hand, on a quiet machine; the results belong into docs/performance.md.
bench:
	$(CARGO) bench --locked --bench cluster

# By hand: each target for so many seconds. Needs a nightly compiler and cargo-fuzz.
SECONDS ?= 60
TARGETS := decode_json decode_yaml decode_protobuf strategic_merge apply selectors spdy_frames websocket_channels

fuzz:
	cd fuzz && for target in $(TARGETS); do \
		mkdir -p corpus/$$target && \
		$(CARGO) +nightly fuzz run -s none $$target corpus/$$target seeds/$$target -- -max_total_time=$(SECONDS) || exit 1; \
	done
	cd fuzz && mkdir -p corpus/load_component && \
		$(CARGO) +nightly fuzz run -s none --features engine load_component corpus/load_component seeds/load_component \
			-- -max_total_time=$(SECONDS)

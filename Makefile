# `make test` does everything, on a fresh machine with Rust: it installs what is missing, and fails with the reason
# where it cannot. Plain `cargo test --workspace` does the same work where nothing is missing.

CARGO ?= cargo
SUDO := $(shell [ "$$(id -u)" = 0 ] || command -v sudo)

.PHONY: test kubectl lint bench fuzz

test: kubectl
	@if $(CARGO) nextest --version >/dev/null 2>&1; then \
		$(CARGO) nextest run --workspace --locked && $(CARGO) test --workspace --locked --doc; \
	else \
		$(CARGO) test --workspace --locked; \
	fi

# The end-to-end tests drive the real kubectl: the one on the PATH, else Debian's.
kubectl:
	@if command -v kubectl >/dev/null; then exit 0; fi; \
	if ! command -v apt-get >/dev/null; then \
		echo "make: kubectl is not on the PATH and there is no apt-get: install kubectl 1.20 or newer" >&2; exit 1; \
	fi; \
	echo "make: installing kubectl (package kubernetes-client)"; \
	$(SUDO) apt-get update -q && $(SUDO) apt-get install -y -q --no-install-recommends kubernetes-client || { \
		echo "make: kubectl could not be installed: run \`apt-get install kubernetes-client\` as root, or put kubectl on the PATH" >&2; exit 1; \
	}

# As continuous integration sees it: format, lints, tests.
lint:
	./.ci/run lint

# By hand, on a quiet machine; the results belong into docs/performance.md.
bench:
	$(CARGO) bench --locked --bench cluster

# By hand: each target for so many seconds. Needs a nightly compiler and cargo-fuzz.
SECONDS ?= 60
TARGETS := decode_json decode_yaml decode_protobuf strategic_merge apply selectors

fuzz:
	cd fuzz && for target in $(TARGETS); do \
		mkdir -p corpus/$$target && \
		$(CARGO) +nightly fuzz run -s none $$target corpus/$$target seeds/$$target -- -max_total_time=$(SECONDS) || exit 1; \
	done

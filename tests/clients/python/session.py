"""What the scripts share: where they are, what a condition is waited for with, and how a session is told."""

import os
import sys
import time
from contextlib import contextmanager

from kubernetes import config

PATIENCE = 60

# The second kubeconfig leads to the same server, over connections that break off a moment after they began.
FLAKY = os.environ["FLAKY_KUBECONFIG"]


def namespace():
    _, active = config.list_kube_config_contexts()
    return active["context"].get("namespace", "default")


def eventually(what, found):
    """Returns what `found()` returns once that is something."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        seen = found()
        if seen:
            return seen
        time.sleep(0.05)
    raise AssertionError(f"not within {PATIENCE} s: {what}; last seen: {seen!r}")


def equal(seen, expected):
    assert seen == expected, f"expected {expected!r}, saw {seen!r}"


@contextmanager
def refused(kind, status, reason=None):
    """The body must be refused, by an error of this kind with this status."""
    try:
        yield
    except kind as error:
        seen = getattr(error, "status", None) or error.response.status_code
        equal(seen, status)
        if reason is not None:
            text = getattr(error, "body", None) or error.response.text
            assert f'"reason":"{reason}"' in text.replace(": ", ":"), text
    else:
        raise AssertionError(f"should have been refused with {status}")


def tell(chapters):
    """Runs the chapters in their order, or those that the command line names; the first that fails ends the session."""
    for chapter in chapters:
        if sys.argv[1:] and chapter.__name__ not in sys.argv:
            continue
        began = time.monotonic()
        print(chapter.__name__, end=" ", flush=True)
        chapter()
        print(f"{time.monotonic() - began:.1f} s", flush=True)


def crd(plural, kind, group, schema, columns=()):
    """A namespaced definition of one version, with a status of its own."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": list(columns),
                    "schema": {"openAPIV3Schema": {"type": "object", "properties": schema}},
                }
            ],
        },
    }

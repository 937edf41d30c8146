"""kopf: a real operator as a process of its own, through its objects' whole life and its own restart."""

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

from session import crd, equal, eventually, namespace, tell

config.load_kube_config()
NS = namespace()
GROUP = "kopf.sampan.test"
SHIPS = (GROUP, "v1", NS, "ships")
OPERATOR = Path(__file__).with_name("kopf_operator.py")
core, custom, definitions = client.CoreV1Api(), client.CustomObjectsApi(), client.ApiextensionsV1Api()


@contextmanager
def operator():
    """`kopf run`, without peering; its log is shown when the session fails."""
    command = [sys.executable, "-m", "kopf", "run", "--standalone", "--namespace", NS, str(OPERATOR)]
    with open("operator.log", "a+", encoding="utf-8") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            yield
            assert process.poll() is None, "the operator ended"
        except BaseException:
            log.seek(0)
            print(log.read())
            raise
        finally:
            process.terminate()
            process.wait(30)


def config_map(name):
    try:
        return core.read_namespaced_config_map(name, NS)
    except ApiException as error:
        equal(error.status, 404)


def ship(name, cargo):
    custom.create_namespaced_custom_object(
        *SHIPS, {"apiVersion": f"{GROUP}/v1", "kind": "Ship", "metadata": {"name": name}, "spec": {"cargo": cargo}}
    )


def phase(name):
    return custom.get_namespaced_custom_object(*SHIPS, name).get("status", {}).get("phase")


def gone(name):
    try:
        custom.get_namespaced_custom_object(*SHIPS, name)
    except ApiException as error:
        return error.status == 404


def define():
    schema = {
        "spec": {"type": "object", "properties": {"cargo": {"type": "string"}}},
        "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    }
    columns = [{"name": "Cargo", "type": "string", "jsonPath": ".spec.cargo"}]
    definitions.create_custom_resource_definition(crd("ships", "Ship", GROUP, schema, columns))


def life():
    with operator():
        ship("anna", "tea")
        eventually("the creation's handler", lambda: phase("anna") == "Loaded")
        anna = custom.get_namespaced_custom_object(*SHIPS, "anna")
        equal(anna["metadata"]["finalizers"], [f"{GROUP}/finalizer"])
        equal(anna["status"]["created"], {"cargo": "tea"})
        [owner] = config_map("anna").metadata.owner_references
        equal((owner.kind, owner.uid), ("Ship", anna["metadata"]["uid"]))

        custom.patch_namespaced_custom_object(*SHIPS, "anna", {"spec": {"cargo": "silk"}})
        eventually("the change's handler", lambda: phase("anna") == "Reloaded")
        equal(config_map("anna").data, {"cargo": "silk", "before": "tea"})

        custom.delete_namespaced_custom_object(*SHIPS, "anna")
        eventually("the ship to be gone", lambda: gone("anna"))
        assert config_map("farewell-anna"), "the deletion's handler ran before the finalizer was lifted"
        eventually("what it owned to be collected", lambda: config_map("anna") is None)

        core.create_namespaced_config_map(NS, {"metadata": {"name": "echo", "labels": {"sampan.test/echo": "yes"}}})
        eventually("the event's handler", lambda: (config_map("echo").data or {}).get("echo") == "heard")
        reasons = {event.reason for event in core.list_namespaced_event(NS).items}
        assert "Loaded" in reasons, reasons


def restart():
    """What happened while no operator ran is handled by the next one."""
    with operator():
        ship("bess", "rice")
        eventually("the creation's handler", lambda: phase("bess") == "Loaded")
    custom.patch_namespaced_custom_object(*SHIPS, "bess", {"spec": {"cargo": "salt"}})
    ship("cora", "jade")
    custom.delete_namespaced_custom_object(*SHIPS, "bess")
    assert not gone("bess"), "its finalizer holds it"
    with operator():
        eventually("the other's creation", lambda: phase("cora") == "Loaded")
        eventually("the deletion", lambda: gone("bess"))
        assert config_map("farewell-bess")
        custom.delete_namespaced_custom_object(*SHIPS, "cora")
        eventually("the last ship to be gone", lambda: gone("cora"))
    definitions.delete_custom_resource_definition(f"ships.{GROUP}")


if __name__ == "__main__":
    tell([define, life, restart])

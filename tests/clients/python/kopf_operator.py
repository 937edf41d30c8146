"""An operator: every Ship has a ConfigMap with its name in it, and a farewell when it is deleted."""

import kopf
from kubernetes import client, config

config.load_kube_config()
core = client.CoreV1Api()


@kopf.on.startup()
def configure(settings, **_):
    # Watches that end all the time must make no difference.
    settings.watching.server_timeout = 2
    settings.posting.level = 0
    settings.persistence.finalizer = "kopf.sampan.test/finalizer"


@kopf.on.create("ships.kopf.sampan.test")
def created(spec, name, namespace, body, patch, **_):
    hold = {"metadata": {"name": name}, "data": {"cargo": spec["cargo"]}}
    kopf.adopt(hold)
    core.create_namespaced_config_map(namespace, hold)
    patch.status["phase"] = "Loaded"
    kopf.info(body, reason="Loaded", message=f"with {spec['cargo']}")
    return {"cargo": spec["cargo"]}


@kopf.on.update("ships.kopf.sampan.test", field="spec.cargo")
def changed(old, new, name, namespace, patch, **_):
    core.patch_namespaced_config_map(name, namespace, {"data": {"cargo": new, "before": old}})
    patch.status["phase"] = "Reloaded"


@kopf.on.delete("ships.kopf.sampan.test")
def deleted(name, namespace, **_):
    core.create_namespaced_config_map(namespace, {"metadata": {"name": f"farewell-{name}"}})


@kopf.on.event("", "v1", "configmaps", labels={"sampan.test/echo": "yes"})
def echoed(event, name, namespace, **_):
    if event["type"] == "ADDED":
        core.patch_namespaced_config_map(name, namespace, {"data": {"echo": "heard"}})

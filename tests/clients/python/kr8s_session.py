"""kr8s: objects that know how to reach the server, and conditions that are waited for."""

import asyncio

import kr8s
from kr8s.objects import ConfigMap, CustomResourceDefinition, Deployment, Namespace, Pod, Secret, Service, new_class

from session import FLAKY, crd, equal, eventually, namespace, tell

NS = namespace()
GROUP = "kr8s.sampan.test"
api = kr8s.api()


def config_map(name, data=None, **labels):
    return ConfigMap(
        {"metadata": {"name": name, "namespace": NS, "labels": labels}, "data": data or {}}
    )


def discovery():
    equal(api.version()["minor"], "33")
    equal(api.namespace, NS)
    kinds = {resource["kind"] for resource in api.api_resources()}
    assert {"Pod", "Deployment", "Lease", "CustomResourceDefinition"} <= kinds, kinds
    assert api.whoami(), "the kubeconfig has a user"


def objects():
    made = config_map("one", {"a": "1"}, app="x")
    made.create()
    assert made.exists() and not config_map("none").exists()
    made.patch({"data": {"b": "2"}})
    equal(made.data, {"a": "1", "b": "2"})
    made.patch([{"op": "remove", "path": "/data/a"}], type="json")
    equal(made.data, {"b": "2"})
    made.label(colour="red")
    made.annotate({"sampan.test/note": "yes"})
    read = ConfigMap.get("one", NS)
    equal((read.labels.colour, read.annotations["sampan.test/note"]), ("red", "yes"))
    read.remove_label("colour")
    assert "colour" not in ConfigMap.get("one", NS).labels
    equal([item.name for item in ConfigMap.list(namespace=NS, label_selector={"app": "x"})], ["one"])
    equal([item.name for item in kr8s.get("configmaps", "one", namespace=NS)], ["one"])
    made.delete()
    made.wait("delete", timeout=30)


def errors():
    config_map("twice").create()
    try:
        config_map("twice").create()
    except kr8s.ServerError as error:
        equal((error.response.status_code, error.status["reason"]), (409, "AlreadyExists"))
    else:
        raise AssertionError("a second creation should be refused")
    try:
        Pod.get("none", NS)
    except kr8s.NotFoundError:
        pass
    else:
        raise AssertionError("a pod that is not there should not be found")


def pages():
    for index in range(5):
        Secret({"metadata": {"name": f"page-{index}", "namespace": NS, "labels": {"page": "yes"}}}).create()
    equal(len(list(api.get("secrets", namespace=NS, label_selector="page"))), 5)


def workload():
    container = {"name": "main", "image": "localhost/ticker:v1", "ports": [{"containerPort": 80}]}
    made = Deployment({
        "metadata": {"name": "ticker", "namespace": NS},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "ticker"}},
            "template": {"metadata": {"labels": {"app": "ticker"}}, "spec": {"containers": [container]}},
        },
    })
    made.create()
    made.wait("condition=Available", timeout=60)
    [pod] = made.pods()
    pod.wait("condition=Ready", timeout=60)
    assert pod.ready() and next(pod.logs(follow=True))
    made.scale(2)
    eventually("two pods", lambda: len(made.pods()) == 2)
    service = Service({
        "metadata": {"name": "ticker", "namespace": NS},
        "spec": {"selector": {"app": "ticker"}, "ports": [{"port": 80}]},
    })
    service.create()
    owned = config_map("owned")
    owned.create()
    service.adopt(owned)
    service.delete()
    owned.wait("delete", timeout=60)
    made.delete(propagation_policy="Foreground")
    made.wait("delete", timeout=60)
    eventually("no pods", lambda: not list(Pod.list(namespace=NS)))


def watch():
    """Whoever watches again after a break, from where it was, misses nothing."""

    async def changes():
        flaky = await kr8s.asyncio.api(kubeconfig=FLAKY)
        seen, since = {}, None
        while len(seen) < 6:
            try:
                async for kind, item in flaky.async_watch(
                    "configmaps", namespace=NS, label_selector="watched", since=since
                ):
                    since = item.metadata.resourceVersion
                    seen[item.name] = kind
            except Exception as error:  # Whatever it is that the HTTP library makes of the break.
                print(type(error).__name__, end=" ", flush=True)
        return seen

    async def both():
        watching = asyncio.create_task(changes())
        for index in range(6):
            made = await kr8s.asyncio.objects.ConfigMap(config_map(f"w-{index}", watched="yes").raw)
            await made.create()
            await asyncio.sleep(0.6)
        return await asyncio.wait_for(watching, 30)

    equal(asyncio.run(both()), {f"w-{index}": "ADDED" for index in range(6)})


def custom_objects():
    schema = {"spec": {"type": "object", "properties": {"replicas": {"type": "integer", "default": 1}}}}
    definition = CustomResourceDefinition(crd("rafts", "Raft", GROUP, schema))
    definition.create()
    # At first they are null, which kr8s takes for a list.
    eventually("conditions", lambda: CustomResourceDefinition.get(definition.name).status.conditions)
    definition.wait("condition=Established", timeout=30)
    Raft = new_class("Raft", version=f"{GROUP}/v1", namespaced=True, plural="rafts")
    raft = Raft({"metadata": {"name": "one", "namespace": NS}, "spec": {}})
    raft.create()
    equal(raft.spec.replicas, 1)
    raft.patch({"spec": {"replicas": 3}})
    raft.patch({"status": {"seen": True}}, subresource="status")
    equal((raft.spec.replicas, "status" in raft.raw), (3, False))
    equal([item.name for item in Raft.list(namespace=NS)], ["one"])
    equal([item.name for item in kr8s.get(f"rafts.{GROUP}", namespace=NS)], ["one"])
    raft.delete()
    raft.wait("delete", timeout=30)
    definition.delete()
    definition.wait("delete", timeout=30)


def namespaces():
    made = Namespace({"metadata": {"name": f"{NS}-short"}})
    made.create()
    made.delete()
    made.wait("delete", timeout=60)


if __name__ == "__main__":
    tell([discovery, objects, errors, pages, workload, watch, custom_objects, namespaces])

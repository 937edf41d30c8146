"""The official client: typed APIs, patches of every kind, watches, the informer, the dynamic client, custom objects."""

import json
import threading
import uuid

from kubernetes import client, config, dynamic, utils, watch
from kubernetes.client.exceptions import ApiException
from kubernetes.informer import SharedInformer
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.leaderelection.resourcelock.leaselock import LeaseLock

from session import FLAKY, crd, equal, eventually, namespace, refused, tell

config.load_kube_config()
NS = namespace()
GROUP = "official.sampan.test"
core, apps, rbac = client.CoreV1Api(), client.AppsV1Api(), client.RbacAuthorizationV1Api()
custom = client.CustomObjectsApi()

JSON = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"


def config_map(name, data=None, **labels):
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name, labels=labels), data=data or {})


def names(items):
    return [item.metadata.name for item in items]


def discovery():
    equal(client.VersionApi().get_code().minor, "33")
    groups = {group.name for group in client.ApisApi().get_api_versions().groups}
    assert {"apps", "batch", "rbac.authorization.k8s.io", "apiextensions.k8s.io"} <= groups, groups
    verbs = {r.name: r.verbs for r in core.get_api_resources().resources}
    assert "watch" in verbs["configmaps"] and "create" in verbs["pods/eviction"], verbs


def create_and_read():
    made = core.create_namespaced_config_map(NS, config_map("first", {"a": "1"}, app="x"))
    assert uuid.UUID(made.metadata.uid) and made.metadata.creation_timestamp.tzinfo is not None
    read = core.read_namespaced_config_map("first", NS)
    equal(read.to_dict(), made.to_dict())
    generated = core.create_namespaced_config_map(
        NS, client.V1ConfigMap(metadata=client.V1ObjectMeta(generate_name="made-"))
    )
    assert generated.metadata.name.startswith("made-") and len(generated.metadata.name) == 10
    dry = core.create_namespaced_config_map(NS, config_map("dry"), dry_run="All")
    equal(dry.metadata.name, "dry")
    with refused(ApiException, 404, "NotFound"):
        core.read_namespaced_config_map("dry", NS)


def errors():
    with refused(ApiException, 409, "AlreadyExists"):
        core.create_namespaced_config_map(NS, config_map("first"))
    with refused(ApiException, 422, "Invalid"):
        core.create_namespaced_config_map(NS, config_map("Not_A_Name"))
    stale = core.read_namespaced_config_map("first", NS)
    core.patch_namespaced_config_map("first", NS, {"data": {"b": "2"}})
    stale.data = {"c": "3"}
    with refused(ApiException, 409, "Conflict"):
        core.replace_namespaced_config_map("first", NS, stale)
    with refused(ApiException, 400, "BadRequest"):
        core.list_namespaced_config_map(NS, field_selector="data.a=1")
    try:
        core.create_namespaced_service(NS, {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 0}]}})
    except ApiException as error:
        causes = json.loads(error.body)["details"]["causes"]
        equal([cause["field"] for cause in causes], ["spec.ports[0].port", "spec.ports[0].targetPort"])
    else:
        raise AssertionError("port 0 should be refused")


def pages():
    for index in range(7):
        core.create_namespaced_config_map(NS, config_map(f"page-{index}", page="yes"))
    seen, token, requests = [], None, 0
    while True:
        page = core.list_namespaced_config_map(NS, label_selector="page=yes", limit=3, _continue=token)
        seen += names(page.items)
        token, requests = page.metadata._continue, requests + 1
        if not token:
            break
        assert page.metadata.remaining_item_count is None, "a selector hides the count"
    equal((seen, requests), ([f"page-{index}" for index in range(7)], 3))
    equal(names(core.list_namespaced_config_map(NS, field_selector="metadata.name=page-3").items), ["page-3"])
    equal(len(core.list_namespaced_config_map(NS, label_selector="page in (yes),app!=x").items), 7)
    core.delete_collection_namespaced_config_map(NS, label_selector="page")
    equal(core.list_namespaced_config_map(NS, label_selector="page=yes").items, [])


def deployment(name):
    container = client.V1Container(name="main", image="localhost/ticker:v1", env=[client.V1EnvVar(name="A", value="1")])
    template = client.V1PodTemplateSpec(
        metadata=client.V1ObjectMeta(labels={"app": name}), spec=client.V1PodSpec(containers=[container])
    )
    spec = client.V1DeploymentSpec(
        replicas=1, selector=client.V1LabelSelector(match_labels={"app": name}), template=template
    )
    return client.V1Deployment(metadata=client.V1ObjectMeta(name=name), spec=spec)


def patches():
    apps.create_namespaced_deployment(NS, deployment("patched"))
    # A dict without a content type is a strategic merge: the list is merged by its key.
    sidecar = {"spec": {"template": {"spec": {"containers": [{"name": "side", "image": "localhost/ticker:v1"}]}}}}
    merged = apps.patch_namespaced_deployment("patched", NS, sidecar)
    equal([c.name for c in merged.spec.template.spec.containers], ["side", "main"])
    removal = {"spec": {"template": {"spec": {"containers": [{"name": "side", "$patch": "delete"}]}}}}
    merged = apps.patch_namespaced_deployment("patched", NS, removal, _content_type=STRATEGIC)
    equal([c.name for c in merged.spec.template.spec.containers], ["main"])
    merged = apps.patch_namespaced_deployment("patched", NS, {"metadata": {"labels": {"a": "b"}}}, _content_type=MERGE)
    equal(merged.metadata.labels, {"a": "b"})
    operations = [
        {"op": "test", "path": "/spec/replicas", "value": 1},
        {"op": "replace", "path": "/spec/replicas", "value": 2},
        {"op": "remove", "path": "/metadata/labels/a"},
    ]
    patched = apps.patch_namespaced_deployment("patched", NS, operations)
    equal((patched.spec.replicas, patched.metadata.labels), (2, None))
    with refused(ApiException, 422, "Invalid"):
        apps.patch_namespaced_deployment("patched", NS, operations, _content_type=JSON)
    scale = apps.patch_namespaced_deployment_scale("patched", NS, {"spec": {"replicas": 1}})
    equal((scale.spec.replicas, scale.status.selector), (1, "app=patched"))
    unchanged = apps.read_namespaced_deployment("patched", NS)
    again = apps.patch_namespaced_deployment("patched", NS, {"spec": {"replicas": 1}}, _content_type=MERGE)
    equal(again.metadata.generation, unchanged.metadata.generation)


def apply():
    def applied(manager, data, force=None):
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}, "data": data}
        return core.patch_namespaced_config_map(
            "applied", NS, body, field_manager=manager, force=force, _content_type=APPLY
        )

    first = applied("one", {"a": "1", "b": "1"})
    equal(applied("one", {"a": "1", "b": "1"}).metadata.resource_version, first.metadata.resource_version)
    with refused(ApiException, 409, "Conflict"):
        applied("two", {"a": "2"})
    equal(applied("two", {"a": "2"}, force=True).data, {"a": "2", "b": "1"})
    last = applied("one", {"c": "3"})
    equal(last.data, {"a": "2", "c": "3"})
    managers = {(entry.manager, entry.operation) for entry in last.metadata.managed_fields}
    equal(managers, {("one", "Apply"), ("two", "Apply")})


def run_and_logs():
    def rolled_out():
        deployment = apps.read_namespaced_deployment_status("patched", NS)
        status = deployment.status
        counts = (status.replicas, status.updated_replicas, status.ready_replicas)
        return status.observed_generation == deployment.metadata.generation and counts == (1, 1, 1)

    eventually("a ready replica", rolled_out)
    pods = core.list_namespaced_pod(NS, label_selector="app=patched").items
    [pod] = [pod for pod in pods if pod.metadata.deletion_timestamp is None]
    log = eventually("a log", lambda: core.read_namespaced_pod_log(pod.metadata.name, NS, tail_lines=1))
    equal(log.count("\n"), 1)
    follower = watch.Watch()
    lines = follower.stream(core.read_namespaced_pod_log, pod.metadata.name, NS, follow=True)
    assert next(lines) and next(lines)
    follower.stop()
    events = core.list_namespaced_event(NS, field_selector=f"involvedObject.name={pod.metadata.name}")
    assert "Started" in {event.reason for event in events.items}, events.items
    core.create_namespaced_pod_eviction(
        pod.metadata.name, NS, client.V1Eviction(metadata=client.V1ObjectMeta(name=pod.metadata.name))
    )
    apps.delete_namespaced_deployment("patched", NS, propagation_policy="Foreground")
    eventually("no pods", lambda: not core.list_namespaced_pod(NS).items)


def watches():
    start = core.list_namespaced_config_map(NS).metadata.resource_version
    core.create_namespaced_config_map(NS, config_map("watched", watched="yes"))
    core.patch_namespaced_config_map("watched", NS, {"data": {"a": "1"}})
    core.delete_namespaced_config_map("watched", NS)
    watcher = watch.Watch()
    selected = {"label_selector": "watched", "resource_version": start, "timeout_seconds": 1}
    events = [
        (event["type"], event["object"].metadata.name)
        for event in watcher.stream(core.list_namespaced_config_map, NS, **selected)
    ]
    equal(events, [(kind, "watched") for kind in ("ADDED", "MODIFIED", "DELETED")])
    assert int(watcher.resource_version) > int(start)


def informer():
    """The cache stays right though every connection breaks off: what happened in between is not lost."""
    flaky = client.CoreV1Api(config.new_client_from_config(FLAKY))
    seen, failures = [], []
    informer = SharedInformer(flaky.list_namespaced_config_map, namespace=NS, label_selector="informed")
    for kind in ("ADDED", "MODIFIED", "DELETED"):
        informer.add_event_handler(kind, lambda item, kind=kind: seen.append((kind, item.metadata.name)))
    informer.add_event_handler("ERROR", failures.append)
    core.create_namespaced_config_map(NS, config_map("before", informed="yes"))
    informer.start()
    eventually("the first list", lambda: ("ADDED", "before") in seen)
    for turn in range(4):
        core.create_namespaced_config_map(NS, config_map(f"turn-{turn}", informed="yes"))
        broken = len(failures)
        eventually("the watch to break", lambda: len(failures) > broken)
        core.patch_namespaced_config_map(f"turn-{turn}", NS, {"data": {"turn": str(turn)}})
        eventually("the change", lambda: ("MODIFIED", f"turn-{turn}") in seen)
    core.delete_namespaced_config_map("before", NS)
    eventually("the deletion", lambda: ("DELETED", "before") in seen)
    equal(sorted(informer.cache.list_keys()), [f"{NS}/turn-{turn}" for turn in range(4)])
    equal(len(seen), len(set(seen)))
    informer.stop()


def custom_objects():
    definitions = client.ApiextensionsV1Api()
    schema = {
        "spec": {
            "type": "object",
            "required": ["size"],
            "properties": {"size": {"type": "integer", "minimum": 1}, "colour": {"type": "string", "default": "red"}},
        },
        "status": {"type": "object", "properties": {"ready": {"type": "boolean"}}},
    }
    name = f"boats.{GROUP}"
    definitions.create_custom_resource_definition(crd("boats", "Boat", GROUP, schema))

    def established():
        conditions = definitions.read_custom_resource_definition(name).status.conditions or []
        return any(c.type == "Established" and c.status == "True" for c in conditions)

    eventually("the definition to be established", established)
    where = (GROUP, "v1", NS, "boats")
    boat = {"apiVersion": f"{GROUP}/v1", "kind": "Boat", "metadata": {"name": "one"}, "spec": {"size": 2, "odd": 1}}
    made = custom.create_namespaced_custom_object(*where, boat)
    equal(made["spec"], {"size": 2, "colour": "red"})
    with refused(ApiException, 422, "Invalid"):
        custom.create_namespaced_custom_object(*where, {**boat, "metadata": {"name": "two"}, "spec": {"size": 0}})
    changed = custom.patch_namespaced_custom_object(*where, "one", {"spec": {"size": 3}})
    equal((changed["spec"]["size"], changed["metadata"]["generation"]), (3, 2))
    status = custom.patch_namespaced_custom_object_status(*where, "one", {"status": {"ready": True}, "spec": {"size": 9}})
    equal((status["spec"]["size"], status["status"], status["metadata"]["generation"]), (3, {"ready": True}, 2))
    stream = watch.Watch().stream(custom.list_namespaced_custom_object, *where, timeout_seconds=1)
    equal([(event["type"], event["object"]["metadata"]["name"]) for event in stream], [("ADDED", "one")])

    boats = dynamic.DynamicClient(client.ApiClient()).resources.get(api_version=f"{GROUP}/v1", kind="Boat")
    equal(boats.get(name="one", namespace=NS).spec.size, 3)
    boat = {"apiVersion": f"{GROUP}/v1", "kind": "Boat", "metadata": {"name": "two"}, "spec": {"size": 5}}
    applied = boats.server_side_apply(body=boat, namespace=NS, field_manager="dynamic")
    equal(applied.metadata.managedFields[0].manager, "dynamic")
    equal(boats.server_side_apply(body=boat, namespace=NS, field_manager="dynamic").to_dict(), applied.to_dict())
    custom.delete_namespaced_custom_object(*where, "one")
    equal([item["metadata"]["name"] for item in custom.list_namespaced_custom_object(*where)["items"]], ["two"])
    definitions.delete_custom_resource_definition(name)

    def gone():
        try:
            definitions.read_custom_resource_definition(name)
        except ApiException as error:
            return error.status == 404

    eventually("the definition to be gone", gone)
    with refused(ApiException, 404):
        custom.list_namespaced_custom_object(*where)


def from_yaml():
    manifest = [
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "from-yaml"}, "spec": {"ports": [{"port": 80}]}},
        {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "from-yaml"}, "spec": {
            "schedule": "0 * * * *",
            "jobTemplate": {"spec": {"template": {"spec": {
                "restartPolicy": "Never", "containers": [{"name": "c", "image": "localhost/ticker:v1"}]}}}},
        }},
    ]
    utils.create_from_yaml(client.ApiClient(), yaml_objects=manifest, namespace=NS)
    equal(client.BatchV1Api().read_namespaced_cron_job("from-yaml", NS).spec.concurrency_policy, "Allow")
    equal(core.read_namespaced_service("from-yaml", NS).spec.ports[0].target_port, 80)


def tokens_and_roles():
    core.create_namespaced_service_account(NS, {"metadata": {"name": "reader"}})
    request = client.AuthenticationV1TokenRequest(spec=client.V1TokenRequestSpec(expiration_seconds=600, audiences=None))
    token = core.create_namespaced_service_account_token("reader", NS, request).status.token
    settings = client.Configuration.get_default_copy()
    settings.cert_file = settings.key_file = None
    settings.api_key = {"authorization": f"Bearer {token}", "BearerToken": f"Bearer {token}"}
    reader = client.ApiClient(settings)
    who = client.AuthenticationV1Api(reader).create_self_subject_review({}).status.user_info.username
    equal(who, f"system:serviceaccount:{NS}:reader")
    with refused(ApiException, 403, "Forbidden"):
        client.CoreV1Api(reader).list_namespaced_config_map(NS)
    rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}
    rbac.create_namespaced_role(NS, {"metadata": {"name": "reader"}, "rules": [rule]})
    binding = {
        "metadata": {"name": "reader"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
        "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": NS}],
    }
    rbac.create_namespaced_role_binding(NS, binding)
    assert client.CoreV1Api(reader).list_namespaced_config_map(NS).items
    attributes = {"namespace": NS, "verb": "delete", "resource": "configmaps"}
    review = client.AuthorizationV1Api(reader).create_self_subject_access_review(
        {"spec": {"resourceAttributes": attributes}}
    )
    equal(review.status.allowed, False)


def leader_election():
    """Elected, and voted out again: a thread that still renews while the interpreter ends would abort it."""
    elected, deposed = threading.Event(), threading.Event()
    lock = LeaseLock("leader", NS, "the-one")
    settings = electionconfig.Config(
        lock, lease_duration=4, renew_deadline=2, retry_period=1,
        onstarted_leading=elected.set, onstopped_leading=deposed.set,
    )
    candidate = threading.Thread(target=leaderelection.LeaderElection(settings).run)
    candidate.start()
    assert elected.wait(30), "nobody was elected"
    leases = client.CoordinationV1Api()
    equal(leases.read_namespaced_lease("leader", NS).spec.holder_identity, "the-one")

    def another_leads():
        leases.patch_namespaced_lease("leader", NS, {"spec": {"holderIdentity": "another"}})
        return deposed.wait(1)

    eventually("the leader to see that another holds the lease", another_leads)
    candidate.join()


if __name__ == "__main__":
    tell([
        discovery, create_and_read, errors, pages, patches, apply, run_and_logs, watches, informer, custom_objects,
        from_yaml, tokens_and_roles, leader_election,
    ])

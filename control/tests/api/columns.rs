//! The columns of every kind's Table. A star marks those that only `-o wide` shows.

use crate::harness::*;

const COLUMNS: &[(&str, &str)] = &[
    ("/api/v1/pods", "Name, Ready, Status, Restarts, Age, IP*, Node*, Nominated Node*, Readiness Gates*"),
    ("/api/v1/podtemplates", "Name, Containers, Images, Pod Labels"),
    ("/apis/policy/v1/poddisruptionbudgets", "Name, Min Available, Max Unavailable, Allowed Disruptions, Age"),
    ("/api/v1/replicationcontrollers", "Name, Desired, Current, Ready, Age, Containers*, Images*, Selector*"),
    ("/apis/apps/v1/replicasets", "Name, Desired, Current, Ready, Age, Containers*, Images*, Selector*"),
    (
        "/apis/apps/v1/daemonsets",
        "Name, Desired, Current, Ready, Up-to-date, Available, Node Selector, Age, Containers*, Images*, Selector*",
    ),
    ("/apis/batch/v1/jobs", "Name, Status, Completions, Duration, Age, Containers*, Images*, Selector*"),
    (
        "/apis/batch/v1/cronjobs",
        "Name, Schedule, Timezone, Suspend, Active, Last Schedule, Age, Containers*, Images*, Selector*",
    ),
    ("/api/v1/services", "Name, Type, Cluster-IP, External-IP, Port(s), Age, Selector*"),
    ("/apis/networking.k8s.io/v1/ingresses", "Name, Class, Hosts, Address, Ports, Age"),
    ("/apis/networking.k8s.io/v1/ingressclasses", "Name, Controller, Parameters, Age"),
    ("/apis/apps/v1/statefulsets", "Name, Ready, Age, Containers*, Images*"),
    ("/api/v1/endpoints", "Name, Endpoints, Age"),
    (
        "/api/v1/nodes",
        "Name, Status, Roles, Age, Version, Internal-IP*, External-IP*, OS-Image*, Kernel-Version*, Container-Runtime*",
    ),
    ("/api/v1/events", "Last Seen, Type, Reason, Object, Subobject*, Source*, Message, First Seen*, Count*, Name*"),
    (
        "/apis/events.k8s.io/v1/events",
        "Last Seen, Type, Reason, Object, Subobject*, Source*, Message, First Seen*, Count*, Name*",
    ),
    ("/api/v1/namespaces", "Name, Status, Age"),
    ("/api/v1/secrets", "Name, Type, Data, Age"),
    ("/api/v1/serviceaccounts", "Name, Secrets, Age"),
    (
        "/api/v1/persistentvolumes",
        "Name, Capacity, Access Modes, Reclaim Policy, Status, Claim, StorageClass, VolumeAttributesClass, Reason, Age, \
         VolumeMode*",
    ),
    (
        "/api/v1/persistentvolumeclaims",
        "Name, Status, Volume, Capacity, Access Modes, StorageClass, VolumeAttributesClass, Age, VolumeMode*",
    ),
    ("/api/v1/componentstatuses", "Name, Status, Message, Error"),
    ("/apis/apps/v1/deployments", "Name, Ready, Up-to-date, Available, Age, Containers*, Images*, Selector*"),
    ("/apis/autoscaling/v2/horizontalpodautoscalers", "Name, Reference, Targets, MinPods, MaxPods, Replicas, Age"),
    ("/apis/autoscaling/v1/horizontalpodautoscalers", "Name, Reference, Targets, MinPods, MaxPods, Replicas, Age"),
    ("/api/v1/configmaps", "Name, Data, Age"),
    ("/apis/networking.k8s.io/v1/networkpolicies", "Name, Pod-Selector, Age"),
    ("/apis/rbac.authorization.k8s.io/v1/rolebindings", "Name, Role, Age, Users*, Groups*, ServiceAccounts*"),
    ("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", "Name, Role, Age, Users*, Groups*, ServiceAccounts*"),
    (
        "/apis/certificates.k8s.io/v1/certificatesigningrequests",
        "Name, Age, SignerName, Requestor, RequestedDuration, Condition",
    ),
    ("/apis/coordination.k8s.io/v1/leases", "Name, Holder, Age"),
    (
        "/apis/storage.k8s.io/v1/storageclasses",
        "Name, Provisioner, ReclaimPolicy, VolumeBindingMode, AllowVolumeExpansion, Age",
    ),
    ("/apis/apps/v1/controllerrevisions", "Name, Controller, Revision, Age"),
    ("/api/v1/resourcequotas", "Name, Request, Limit, Age"),
    ("/apis/scheduling.k8s.io/v1/priorityclasses", "Name, Value, Global-Default, Age, PreemptionPolicy"),
    ("/apis/node.k8s.io/v1/runtimeclasses", "Name, Handler, Age"),
    ("/apis/storage.k8s.io/v1/volumeattachments", "Name, Attacher, PV, Node, Attached, Age"),
    ("/apis/discovery.k8s.io/v1/endpointslices", "Name, AddressType, Ports, Endpoints, Age"),
    ("/apis/storage.k8s.io/v1/csinodes", "Name, Drivers, Age"),
    (
        "/apis/storage.k8s.io/v1/csidrivers",
        "Name, AttachRequired, PodInfoOnMount, StorageCapacity, TokenRequests, RequiresRepublish, Modes, Age",
    ),
    ("/apis/storage.k8s.io/v1/csistoragecapacities", "Name, StorageClassName, Capacity"),
    ("/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", "Name, Webhooks, Age"),
    ("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", "Name, Webhooks, Age"),
    ("/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies", "Name, Validations, ParamKind, Age"),
    ("/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings", "Name, PolicyName, ParamRef, Age"),
    (
        "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas",
        "Name, PriorityLevel, MatchingPrecedence, DistinguisherMethod, Age, MissingPL",
    ),
    (
        "/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations",
        "Name, Type, NominalConcurrencyShares, Queues, HandSize, QueueLengthLimit, Age",
    ),
    ("/apis/networking.k8s.io/v1/servicecidrs", "Name, CIDRs, Age"),
    ("/apis/networking.k8s.io/v1/ipaddresses", "Name, ParentRef"),
    ("/apis/apiregistration.k8s.io/v1/apiservices", "Name, Service, Available, Age"),
    ("/api/v1/limitranges", "Name, Created At"),
    ("/apis/rbac.authorization.k8s.io/v1/roles", "Name, Created At"),
    ("/apis/rbac.authorization.k8s.io/v1/clusterroles", "Name, Created At"),
];

#[tokio::test]
async fn each_kind_has_its_columns() {
    let server = Server::start().await;
    for (collection, wanted) in COLUMNS {
        let table = server.request("GET", collection).accept(TABLE).send().await.with(200);
        let columns = table["columnDefinitions"].as_array().expect("columns");
        let shown: Vec<String> = columns
            .iter()
            .map(|c| format!("{}{}", c["name"].as_str().unwrap_or_default(), if c["priority"] == 0 { "" } else { "*" }))
            .collect();
        assert_eq!(shown.join(", "), *wanted, "{collection}");
        let name = columns.iter().find(|c| c["name"] == "Name").expect("a name");
        assert_eq!(name["format"], "name", "{collection}: kubectl looks for the name by its format");
    }
}

/// Columns that show one field are described in the words of its schema, and in all of them.
#[tokio::test]
async fn a_fields_column_has_its_description() {
    const FIELDS: &[(&str, &str, &str, &str)] = &[
        ("v1/pods", "Node", "core.v1.PodSpec", "nodeName"),
        ("v1/services", "Cluster-IP", "core.v1.ServiceSpec", "clusterIP"),
        ("v1/nodes", "External-IP", "core.v1.NodeStatus", "addresses"),
        ("v1/serviceaccounts", "Secrets", "core.v1.ServiceAccount", "secrets"),
        ("v1/persistentvolumes", "Reclaim Policy", "core.v1.PersistentVolumeSpec", "persistentVolumeReclaimPolicy"),
        ("apps/v1/daemonsets", "Node Selector", "core.v1.PodSpec", "nodeSelector"),
        ("batch/v1/cronjobs", "Timezone", "batch.v1.CronJobSpec", "timeZone"),
        ("storage.k8s.io/v1/csidrivers", "Modes", "storage.v1.CSIDriverSpec", "volumeLifecycleModes"),
    ];
    let server = Server::start().await;
    for (resource, column, ty, field) in FIELDS {
        let root = if resource.starts_with("v1/") { "api" } else { "apis" };
        let table = server.request("GET", &format!("/{root}/{resource}")).accept(TABLE).send().await.with(200);
        let columns = table["columnDefinitions"].as_array().expect("columns");
        let shown = columns.iter().find(|c| c["name"] == *column).expect("the column");
        let version = resource.rsplit_once('/').expect("a version").0;
        let document = server.get(&format!("/openapi/v3/{root}/{version}")).await.with(200);
        let said = document["components"]["schemas"][format!("io.k8s.api.{ty}")]["properties"][field]["description"]
            .as_str()
            .expect("a description");
        let words = said.split("\n\nPossible enum values").next().expect("the words before");
        assert_eq!(shown["description"], words, "{resource} {column}");
    }
}

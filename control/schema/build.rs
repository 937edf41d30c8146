//! Compresses what the crate carries: the table of types, and the descriptions that OpenAPI shows.
//!
//! The descriptions are Kubernetes' own words; they come from the dependency `k8s-openapi` and go into the binary, not into
//! the repository.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::DeflateEncoder;
use k8s_openapi::schemars::SchemaGenerator;
use k8s_openapi::schemars::generate::SchemaSettings;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// All that a document of OpenAPI is made from, the code included.
const SOURCES: [&str; 13] = [
    "build.rs",
    "data/types.txt",
    "data/resources.tsv",
    "data/words.txt",
    "src/openapi.rs",
    "src/openapi/custom.rs",
    "src/openapi/descriptions.rs",
    "src/openapi/document.rs",
    "src/openapi/operation.rs",
    "src/openapi/paths.rs",
    "src/openapi/paths/subresource.rs",
    "src/openapi/roots.rs",
    "src/openapi/schemas.rs",
];

fn main() {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let mut digest = Sha256::new();
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
        digest.update(std::fs::read(source).unwrap_or_else(|error| panic!("{source}: {error}")));
    }
    // The later of two descriptions counts.
    let words = std::fs::read_to_string("data/words.txt").expect("read above");
    let descriptions = descriptions() + &words;
    digest.update(&descriptions);
    println!("cargo::rustc-env=OPENAPI_SOURCES={:x}", digest.finalize());
    deflate(&out.join("descriptions.deflate"), descriptions.as_bytes());
    deflate(&out.join("types.deflate"), &std::fs::read("data/types.txt").expect("read above"));
}

fn deflate(path: &Path, bytes: &[u8]) {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    let packed = encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory");
    std::fs::write(path, packed).expect("OUT_DIR is writable");
}

/// A line a type (`io.k8s.api.core.v1.Pod`, its description), then an indented line a field.
fn descriptions() -> String {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    visit(&mut generator);
    let mut text = String::new();
    for (name, schema) in generator.take_definitions(true) {
        text += &format!("{name}\t{}\n", escaped(&schema));
        let properties = schema.get("properties").and_then(Value::as_object);
        for (field, property) in properties.into_iter().flatten() {
            text += &format!("\t{field}\t{}\n", escaped(property));
        }
    }
    text
}

fn escaped(schema: &Value) -> String {
    let text = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    text.replace('\\', r"\\").replace('\n', r"\n").replace('\t', r"\t")
}

macro_rules! visit {
    ($($package:path: $($kind:ident)*;)*) => {
        /// Makes the schemas of every kind, and with them of all that they hold.
        fn visit(generator: &mut SchemaGenerator) {
            $({
                use $package as package;
                $(generator.subschema_for::<package::$kind>();)*
            })*
        }
    };
}

visit! {
    k8s_openapi::api::core::v1: Binding ComponentStatus ConfigMap Endpoints Event LimitRange Namespace Node
        PersistentVolume PersistentVolumeClaim Pod PodTemplate ReplicationController ResourceQuota Secret Service
        ServiceAccount;
    k8s_openapi::api::admissionregistration::v1: MutatingWebhookConfiguration ValidatingAdmissionPolicy
        ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration;
    k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1: CustomResourceDefinition;
    k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1: APIService;
    k8s_openapi::api::apps::v1: ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet;
    k8s_openapi::api::authentication::v1: SelfSubjectReview TokenRequest TokenReview;
    k8s_openapi::api::authorization::v1: LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview
        SubjectAccessReview;
    k8s_openapi::api::autoscaling::v1: HorizontalPodAutoscaler Scale;
    k8s_openapi::api::autoscaling::v2: HorizontalPodAutoscaler;
    k8s_openapi::api::batch::v1: CronJob Job;
    k8s_openapi::api::certificates::v1: CertificateSigningRequest;
    k8s_openapi::api::coordination::v1: Lease;
    k8s_openapi::api::discovery::v1: EndpointSlice;
    k8s_openapi::api::events::v1: Event;
    k8s_openapi::api::flowcontrol::v1: FlowSchema PriorityLevelConfiguration;
    k8s_openapi::api::networking::v1: IPAddress Ingress IngressClass NetworkPolicy ServiceCIDR;
    k8s_openapi::api::node::v1: RuntimeClass;
    k8s_openapi::api::policy::v1: Eviction PodDisruptionBudget;
    k8s_openapi::api::rbac::v1: ClusterRole ClusterRoleBinding Role RoleBinding;
    k8s_openapi::api::scheduling::v1: PriorityClass;
    k8s_openapi::api::storage::v1: CSIDriver CSINode CSIStorageCapacity StorageClass VolumeAttachment;
    k8s_openapi::apimachinery::pkg::apis::meta::v1: APIResourceList DeleteOptions ListMeta ObjectMeta Status;
}

//! CertificateSigningRequests: they say who asked, and nobody else may.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use objects::names;
use serde_json::{Map, Value, json};

use super::access::{Change, Look};
use super::columns::{AGE, Column, NAME};
use super::generic::{keep_all_but_status, keep_status};
use super::{Behavior, PartRules, age, cells};
use crate::auth::Caller;
use crate::field::{Errors, Path};

const PEM: &str = "-----BEGIN CERTIFICATE REQUEST-----";
/// The shortest life of a certificate, in seconds.
const SHORTEST: i64 = 600;
/// What a certificate can be for, in the order in which it is shown.
const USAGES: [&str; 23] = [
    "any",
    "cert sign",
    "client auth",
    "code signing",
    "content commitment",
    "crl sign",
    "data encipherment",
    "decipher only",
    "digital signature",
    "email protection",
    "encipher only",
    "ipsec end system",
    "ipsec tunnel",
    "ipsec user",
    "key agreement",
    "key encipherment",
    "microsoft sgc",
    "netscape sgc",
    "ocsp signing",
    "s/mime",
    "server auth",
    "signing",
    "timestamping",
];

/// What requests do.
pub const BEHAVIOR: Behavior = Behavior {
    prepare_create: |request| request.set("", "status", json!({})),
    sign,
    prepare_update: |new, old| {
        new.restore("", "spec", old);
        keep_status(new, old);
    },
    prepare_status_update,
    validate,
    validate_status_update: |new, _, errors| conditions(new, errors),
    parts: &[PartRules {
        name: "approval",
        prepare: prepare_approval,
        validate: |new, _, errors| conditions(new, errors),
    }],
    columns: &[
        NAME,
        AGE,
        Column::text(
            "SignerName",
            "Requested signer for the request. It is a qualified name in the form: `scope-hostname.io/name`. If empty, it \
             will be defaulted:\n 1. If it's a kubelet client certificate, it is assigned\n    \
             \"kubernetes.io/kube-apiserver-client-kubelet\".\n 2. If it's a kubelet serving certificate, it is \
             assigned\n    \"kubernetes.io/kubelet-serving\".\n 3. Otherwise, it is assigned \
             \"kubernetes.io/legacy-unknown\".\nDistribution of trust for signers happens out of band. You can select on \
             this field using `spec.signerName`.",
        ),
        Column::text("Requestor", "Base64-encoded PKCS#10 CSR data"),
        Column::text(
            "RequestedDuration",
            "expirationSeconds is the requested duration of validity of the issued certificate. The certificate \
             signer may issue a certificate with a different validity duration so a client must check the delta \
             between the notBefore and and notAfter fields in the issued certificate to determine the actual \
             duration.\n\nThe v1.22+ in-tree implementations of the well-known Kubernetes signers will honor this \
             field as long as the requested duration is not greater than the maximum duration they will honor per the \
             --cluster-signing-duration CLI flag to the Kubernetes controller manager.\n\nCertificate signers may not \
             honor this field for various reasons:\n\n  1. Old signer that is unaware of the field (such as the \
             in-tree\n     implementations prior to v1.22)\n  2. Signer whose configured maximum is shorter than the \
             requested duration\n  3. Signer whose configured minimum is longer than the requested duration\n\nThe \
             minimum valid value for expirationSeconds is 600, i.e. 10 minutes.",
        ),
        Column::text("Condition", "Conditions applied to the request, such as approval or denial."),
    ],
    row,
    fields: &["spec.signerName"],
    ..Behavior::GENERIC
};

/// Whoever creates a request is the one who asks, whatever the body says.
fn sign(request: &mut Value, caller: &Caller) {
    let extra: Map<String, Value> = caller.extra.iter().map(|(key, values)| (key.clone(), json!(values))).collect();
    for (field, value) in [
        ("username", json!(caller.user)),
        ("uid", json!(caller.uid)),
        ("groups", json!(caller.groups)),
        ("extra", Value::Object(extra)),
    ] {
        request.set("spec", field, value);
    }
}

/// Approval and denial are written through `approval`, all else of the status through `status`.
fn is_verdict(condition: &Value) -> bool {
    matches!(condition.text("type"), "Approved" | "Denied")
}

fn prepare_status_update(new: &mut Value, old: &Value) {
    keep_all_but_status(new, old);
    let verdicts = old.items("status.conditions").iter().filter(|c| is_verdict(c));
    let others = new.items("status.conditions").iter().filter(|c| !is_verdict(c));
    let conditions: Vec<Value> = verdicts.chain(others).cloned().collect();
    set_conditions(new, conditions, old);
}

fn prepare_approval(new: &mut Value, old: &Value) {
    let sent = new.items("status.conditions").to_vec();
    keep_all_but_status(new, old);
    new.restore("", "status", old);
    set_conditions(new, sent, old);
}

/// Conditions get the times that their writer leaves out.
fn set_conditions(request: &mut Value, mut conditions: Vec<Value>, old: &Value) {
    let now = objects::time::text(&objects::time::now());
    for condition in &mut conditions {
        let same =
            |c: &&Value| c.text("type") == condition.text("type") && c.text("status") == condition.text("status");
        let since = old.items("status.conditions").iter().find(same).map(|c| c.at("lastTransitionTime").clone());
        condition.set_default("", "lastUpdateTime", now.clone());
        condition.set_default("", "lastTransitionTime", since.unwrap_or_else(|| now.clone().into()));
    }
    if conditions.is_empty() {
        request.unset("status", "conditions");
    } else {
        request.set("status", "conditions", conditions);
    }
}

fn validate(request: &Value, errors: &mut Errors) {
    let (spec, at) = (request.at("spec"), Path::new("spec"));
    let pem = STANDARD.decode(spec.text("request")).unwrap_or_default();
    if pem.is_empty() {
        errors.required(&at.child("request"), "");
    } else if !pem.windows(PEM.len()).any(|w| w == PEM.as_bytes()) {
        let bytes: Vec<String> = pem.iter().map(|b| format!("{b:#04x}")).collect();
        let shown = format!("[]byte{{{}}}", bytes.join(", "));
        errors.invalid_as(&at.child("request"), &shown, "PEM block type must be CERTIFICATE REQUEST");
    }
    if spec.items("usages").is_empty() {
        errors.required(&at.child("usages"), "");
    }
    let mut taken = Vec::new();
    for (i, usage) in spec.items("usages").iter().filter_map(Value::as_str).enumerate() {
        let at = at.child("usages").index(i);
        if !USAGES.contains(&usage) {
            errors.not_supported(&at, usage, &USAGES);
        }
        if taken.contains(&usage) {
            errors.duplicate(&at, usage);
        }
        taken.push(usage);
    }
    signer(spec.text("signerName"), &at.child("signerName"), errors);
    if let Some(seconds) = spec.int("expirationSeconds").filter(|s| *s < SHORTEST) {
        let why = "may not specify a duration less than 600 seconds (10 minutes)";
        errors.invalid(&at.child("expirationSeconds"), seconds, why);
    }
    conditions(request, errors);
}

/// `example.com/team-a`.
fn signer(name: &str, at: &Path, errors: &mut Errors) {
    if name.is_empty() {
        return errors.required(at, "");
    }
    if name == "kubernetes.io/legacy-unknown" {
        return errors.invalid(at, name, "the legacy signerName is not allowed via this API version");
    }
    let parts: Vec<&str> = name.split('/').collect();
    let [domain, path] = parts[..] else {
        let why = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
        return errors.invalid(at, name, why);
    };
    if !domain.contains('.') {
        errors.invalid(at, domain, "should be a domain with at least two segments separated by dots");
    }
    errors.all_invalid(at, domain, names::dns1123_subdomain(domain));
    for label in path.split('.') {
        errors.all_invalid(at, label, names::dns1123_label(label));
    }
}

fn conditions(request: &Value, errors: &mut Errors) {
    let at = Path::new("status").child("conditions");
    let mut taken = Vec::new();
    for (i, condition) in request.items("status.conditions").iter().enumerate() {
        let at = at.index(i);
        let (kind, status) = (condition.text("type"), condition.text("status"));
        if kind.is_empty() {
            errors.required(&at.child("type"), "");
        }
        match status {
            "" => errors.required(&at.child("status"), ""),
            "True" => {}
            _ if matches!(kind, "Approved" | "Denied" | "Failed") => {
                errors.not_supported(&at.child("status"), status, &["True"]);
            }
            "False" | "Unknown" => {}
            other => errors.not_supported(&at.child("status"), other, &["False", "True", "Unknown"]),
        }
        if taken.contains(&kind) {
            errors.duplicate(&at.child("type"), kind);
        }
        taken.push(kind);
    }
    if taken.contains(&"Approved") && taken.contains(&"Denied") {
        errors.invalid(&at, "Denied", "Approved and Denied conditions are mutually exclusive");
    }
}

fn row(request: &Value, now: Timestamp) -> Vec<Value> {
    let duration = request.int("spec.expirationSeconds").map_or("<none>".into(), age::human);
    vec![
        cells::name(request),
        cells::age(request, now),
        cells::text_or_none(request, "spec.signerName"),
        request.text("spec.username").into(),
        duration.into(),
        condition(request).into(),
    ]
}

fn condition(request: &Value) -> String {
    let has = |kind: &str| request.items("status.conditions").iter().any(|c| c.text("type") == kind);
    let mut status = match (has("Denied"), has("Approved")) {
        (true, _) => "Denied".to_owned(),
        (false, true) => "Approved".to_owned(),
        (false, false) => "Pending".to_owned(),
    };
    if has("Failed") {
        status.push_str(",Failed");
    }
    if !request.text("status.certificate").is_empty() {
        status.push_str(",Issued");
    }
    status
}

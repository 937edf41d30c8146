//! CertificateApproval, CertificateSigning and CertificateSubjectRestriction: who decides about certificates (KEP-1513).
//!
//! Signers are like objects of a resource `signers`: whoever may `approve` or `sign` for one of them is allowed to by its
//! name, or by that of its whole domain (`example.com/*`).

use serde_json::Value;

use super::{Operation, Review};
use crate::auth::{Action, Attributes, MASTERS, request_organizations};
use crate::kinds::Look;
use crate::registry::Registry;
use crate::status::Status;

const GROUP: &str = "certificates.k8s.io";
const REQUESTS: &str = "certificatesigningrequests";

/// Approving needs `approve` on the signer.
///
/// # Errors
/// 403.
pub fn approval(registry: &Registry, review: &Review<'_>, object: &Value) -> Result<(), Status> {
    match (review.operation, review.subresource) {
        (Operation::Update, "approval") if review.is(GROUP, REQUESTS) => permitted(registry, review, object, "approve"),
        _ => Ok(()),
    }
}

/// Issuing, or saying why not, needs `sign` on the signer.
///
/// # Errors
/// 403.
pub fn signing(registry: &Registry, review: &Review<'_>, object: &Value) -> Result<(), Status> {
    if review.operation != Operation::Update || review.subresource != "status" || !review.is(GROUP, REQUESTS) {
        return Ok(());
    }
    let old = review.old.unwrap_or(&Value::Null);
    let same = |field: &str| object.at(field) == old.at(field);
    if same("status.certificate") && same("status.conditions") {
        return Ok(());
    }
    permitted(registry, review, object, "sign")
}

/// Nobody becomes a master of the cluster through a request.
///
/// # Errors
/// 403.
pub fn subject(review: &Review<'_>, object: &Value) -> Result<(), Status> {
    let signer = object.text("spec.signerName");
    let asked = review.operation == Operation::Create && review.subresource.is_empty() && review.is(GROUP, REQUESTS);
    if !asked || signer != "kubernetes.io/kube-apiserver-client" {
        return Ok(());
    }
    if request_organizations(object.text("spec.request")).iter().any(|group| group == MASTERS) {
        let why = format!("use of {signer} signer with {MASTERS} group is not allowed");
        return Err(review.forbidden(object, &why));
    }
    Ok(())
}

fn permitted(registry: &Registry, review: &Review<'_>, object: &Value, verb: &str) -> Result<(), Status> {
    let signer = review.old.unwrap_or(object).text("spec.signerName");
    let domain = format!("{}/*", signer.split('/').next().unwrap_or_default());
    let may = |name: &str| {
        let wanted = Attributes::Resource(Action {
            verb: verb.to_owned(),
            group: GROUP.to_owned(),
            version: "*".to_owned(),
            resource: "signers".to_owned(),
            name: name.to_owned(),
            ..Action::default()
        });
        registry.authorizer().decide(&review.options.caller, &wanted).is_allowed()
    };
    if may(signer) || may(&domain) {
        return Ok(());
    }
    let why = format!("user not permitted to {verb} requests with signerName \"{signer}\"");
    Err(review.forbidden(object, &why))
}

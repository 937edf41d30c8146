//! The plug-ins by name, and which of them are switched on.

/// A step of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plugin {
    NamespaceLifecycle,
    LimitRanger,
    ServiceAccount,
    NodeRestriction,
    TaintNodesByCondition,
    PodSecurity,
    Priority,
    DefaultTolerationSeconds,
    DefaultStorageClass,
    StorageObjectInUseProtection,
    PersistentVolumeClaimResize,
    RuntimeClass,
    CertificateApproval,
    CertificateSigning,
    CertificateSubjectRestriction,
    DefaultIngressClass,
    MutatingAdmissionWebhook,
    ValidatingAdmissionPolicy,
    ValidatingAdmissionWebhook,
    ResourceQuota,
}

/// Every plug-in under its name, in the order in which they are asked.
const CHAIN: &[(&str, Plugin)] = &[
    ("NamespaceLifecycle", Plugin::NamespaceLifecycle),
    ("LimitRanger", Plugin::LimitRanger),
    ("ServiceAccount", Plugin::ServiceAccount),
    ("NodeRestriction", Plugin::NodeRestriction),
    ("TaintNodesByCondition", Plugin::TaintNodesByCondition),
    ("PodSecurity", Plugin::PodSecurity),
    ("Priority", Plugin::Priority),
    ("DefaultTolerationSeconds", Plugin::DefaultTolerationSeconds),
    ("DefaultStorageClass", Plugin::DefaultStorageClass),
    ("StorageObjectInUseProtection", Plugin::StorageObjectInUseProtection),
    ("PersistentVolumeClaimResize", Plugin::PersistentVolumeClaimResize),
    ("RuntimeClass", Plugin::RuntimeClass),
    ("CertificateApproval", Plugin::CertificateApproval),
    ("CertificateSigning", Plugin::CertificateSigning),
    ("CertificateSubjectRestriction", Plugin::CertificateSubjectRestriction),
    ("DefaultIngressClass", Plugin::DefaultIngressClass),
    ("MutatingAdmissionWebhook", Plugin::MutatingAdmissionWebhook),
    ("ValidatingAdmissionPolicy", Plugin::ValidatingAdmissionPolicy),
    ("ValidatingAdmissionWebhook", Plugin::ValidatingAdmissionWebhook),
    ("ResourceQuota", Plugin::ResourceQuota),
];

/// Names that kube-apiserver knows besides: off unless asked for, and not there to be asked for.
const ABSENT: &[&str] = &[
    "AlwaysAdmit",
    "AlwaysDeny",
    "AlwaysPullImages",
    "ClusterTrustBundleAttest",
    "DenyServiceExternalIPs",
    "EventRateLimit",
    "ExtendedResourceToleration",
    "ImagePolicyWebhook",
    "LimitPodHardAntiAffinityTopology",
    "MutatingAdmissionPolicy",
    "NamespaceAutoProvision",
    "NamespaceExists",
    "OwnerReferencesPermissionEnforcement",
    "PodNodeSelector",
    "PodTolerationRestriction",
    "PodTopologyLabels",
];

/// Why a choice of plug-ins cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    /// There is no such plug-in.
    #[error("{flag} plugin {name:?} is unknown; the plug-ins are {}", known().join(", "))]
    Unknown {
        /// `enable-admission-plugins` or `disable-admission-plugins`.
        flag: &'static str,
        /// What was asked for.
        name: String,
    },
    /// Kubernetes has it, Sampan has not.
    #[error("enable-admission-plugins plugin {name:?} is not supported by Sampan; the plug-ins are {}", known().join(", "))]
    Absent {
        /// What was asked for.
        name: String,
    },
    /// Asked for and refused at once.
    #[error("{0:?} in enable-admission-plugins and disable-admission-plugins overlapped")]
    Both(String),
}

/// Asked only where they are switched on: a controller does the same a moment later, and the answer to a create has nothing
/// that its client did not write.
const OFF: &[&str] = &["StorageObjectInUseProtection"];

/// Which plug-ins to ask, by name. All others that are here are on by default, as upstream.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// On, whatever the default.
    pub enabled: Vec<String>,
    /// Off, whatever the default.
    pub disabled: Vec<String>,
}

impl Choice {
    pub(super) fn chain(&self) -> Result<Vec<Plugin>, ChoiceError> {
        let here = |name: &str| CHAIN.iter().any(|(known, _)| *known == name);
        let unknown = |flag, name: &String| ChoiceError::Unknown { flag, name: name.clone() };
        for name in &self.enabled {
            match () {
                () if here(name) => {}
                () if ABSENT.contains(&name.as_str()) => return Err(ChoiceError::Absent { name: name.clone() }),
                () => return Err(unknown("enable-admission-plugins", name)),
            }
        }
        if let Some(name) = self.disabled.iter().find(|n| !here(n) && !ABSENT.contains(&n.as_str())) {
            return Err(unknown("disable-admission-plugins", name));
        }
        if let Some(name) = self.enabled.iter().find(|name| self.disabled.contains(name)) {
            return Err(ChoiceError::Both(name.clone()));
        }
        let has = |names: &[String], name: &str| names.iter().any(|n| n == name);
        let on = |(name, _): &&(&str, Plugin)| {
            has(&self.enabled, name) || !(OFF.contains(name) || has(&self.disabled, name))
        };
        Ok(CHAIN.iter().filter(on).map(|(_, plugin)| *plugin).collect())
    }
}

/// What is asked where nobody chose.
pub(super) fn default_chain() -> Vec<Plugin> {
    CHAIN.iter().filter(|(name, _)| !OFF.contains(name)).map(|(_, plugin)| *plugin).collect()
}

fn known() -> Vec<&'static str> {
    CHAIN.iter().map(|(name, _)| *name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(enabled: &[&str], disabled: &[&str]) -> Result<Vec<Plugin>, String> {
        let owned = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect();
        Choice { enabled: owned(enabled), disabled: owned(disabled) }.chain().map_err(|e| e.to_string())
    }

    #[test]
    fn plug_ins_can_be_switched_off() {
        assert_eq!(chain(&[], &[]).map(|c| c.len()), Ok(CHAIN.len() - OFF.len()));
        assert_eq!(chain(OFF, &[]).map(|c| c.len()), Ok(CHAIN.len()));
        let without = chain(&["LimitRanger"], &["Priority", "AlwaysDeny"]).unwrap_or_default();
        assert_eq!((without.len(), without.contains(&Plugin::Priority)), (CHAIN.len() - OFF.len() - 1, false));
    }

    #[test]
    fn what_cannot_be_had_is_named() {
        let starts = |result: Result<Vec<Plugin>, String>, with: &str| {
            let said = result.expect_err("no such choice");
            assert!(said.starts_with(with), "{said}");
        };
        starts(
            chain(&[], &["Prioritise"]),
            "disable-admission-plugins plugin \"Prioritise\" is unknown; the plug-ins are NamespaceLifecycle, LimitRanger, ",
        );
        starts(chain(&["x"], &[]), "enable-admission-plugins plugin \"x\" is unknown");
        starts(
            chain(&["AlwaysPullImages"], &[]),
            "enable-admission-plugins plugin \"AlwaysPullImages\" is not supported",
        );
        starts(chain(&["Priority"], &["Priority"]), "\"Priority\" in enable-admission-plugins and");
    }
}

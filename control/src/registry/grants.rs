//! What a write needs to be allowed beyond its verb.

use serde_json::Value;

use super::Registry;
use super::options::WriteOptions;
use super::resources::Target;
use crate::auth::{Action, Attributes};
use crate::status::Status;

impl Registry {
    /// A role or binding hands out nothing that its writer does not hold.
    pub(super) fn admit_grant(
        &self,
        target: &Target,
        new: &Value,
        old: Option<&Value>,
        options: &WriteOptions,
    ) -> Result<(), Status> {
        let row = &target.resource.row;
        if row.group != "rbac.authorization.k8s.io" {
            return Ok(());
        }
        let place = (&*target.namespace, &*target.name);
        self.authorizer().admit_grant(&options.caller, &row.resource, place, new, old)
    }

    /// An update that makes what is not there is a create too.
    pub(super) fn admit_upsert(&self, target: &Target, options: &WriteOptions) -> Result<(), Status> {
        let row = &target.resource.row;
        let wanted = Attributes::Resource(Action {
            verb: "create".to_owned(),
            group: row.group.clone(),
            version: row.version.clone(),
            resource: row.resource.clone(),
            namespace: target.namespace.to_string(),
            name: target.name.to_string(),
            ..Action::default()
        });
        self.authorizer().require(&options.caller, &wanted)
    }
}

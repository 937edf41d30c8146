//! What is to be done about one definition now.

use serde_json::{Value, json};

use super::condition::{self, Condition};
use super::definition::FINALIZER;
use super::names::{self, Taken};
use super::rules::approval;
use crate::kinds::Look;

/// One thing to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// All is as it should be.
    Nothing,
    /// Write this definition's status, and serve what it says before anybody reads it.
    Status(Value),
    /// Delete the instances, and look again when they are gone.
    Empty,
    /// Nothing is left: write the status, take off the finalizer.
    Release(Value),
}

/// The instances of a definition that is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instances {
    /// So many are there.
    pub left: usize,
}

/// Decides. `taken` are the names of the others of the group.
pub fn plan(definition: &Value, taken: &Taken, instances: Instances, now: &str) -> Step {
    let held = definition.items("metadata.finalizers").iter().any(|f| f == FINALIZER);
    if definition.has("metadata.deletionTimestamp") && held {
        return end(definition, instances, now);
    }
    let mut next = definition.clone();
    let (accepted, naming) = names::accept(definition, taken);
    let agreed = naming.status == "True";
    next["status"]["acceptedNames"] = accepted;
    condition::set(&mut next, &naming, now);
    if !condition::holds(definition, "Established") {
        condition::set(&mut next, &established(agreed), now);
    }
    match approval::condition(definition) {
        Some(approval) => condition::set(&mut next, &approval, now),
        None => condition::remove(&mut next, approval::CONDITION),
    }
    if next == *definition { Step::Nothing } else { Step::Status(next) }
}

fn established(agreed: bool) -> Condition {
    match agreed {
        true => Condition::new("Established", true, "InitialNamesAccepted", "the initial names have been accepted"),
        false => Condition::new("Established", false, "NotAccepted", "not all names are accepted"),
    }
}

/// The steps of a deletion: say so, delete the instances, wait, let go.
fn end(definition: &Value, instances: Instances, now: &str) -> Step {
    let established = condition::holds(definition, "Established");
    let terminating = |status, reason, message: &str| {
        let mut next = definition.clone();
        condition::set(&mut next, &Condition::new("Terminating", status, reason, message), now);
        next
    };
    let said = condition::find(definition, "Terminating").map(|c| c.text("reason").to_owned()).unwrap_or_default();
    match (established, instances.left) {
        (true, 1..) if said != "InstanceDeletionInProgress" => {
            Step::Status(terminating(true, "InstanceDeletionInProgress", "CustomResource deletion is in progress"))
        }
        (true, 1..) => Step::Empty,
        (true, 0) => release(terminating(false, "InstanceDeletionCompleted", "removed all instances")),
        (false, _) => release(terminating(false, "NeverEstablished", "resource was never established")),
    }
}

fn release(mut definition: Value) -> Step {
    let kept: Vec<Value> =
        definition.items("metadata.finalizers").iter().filter(|f| *f != FINALIZER).cloned().collect();
    definition["metadata"]["finalizers"] = json!(kept);
    Step::Release(definition)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition() -> Value {
        json!({
            "metadata": {"name": "foos.x.y"},
            "spec": {"group": "x.y", "names": {"plural": "foos", "singular": "foo", "kind": "Foo", "listKind": "FooList"}},
            "status": {"conditions": null, "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": ["v1"]},
        })
    }

    const NONE: Instances = Instances { left: 0 };

    #[test]
    fn a_new_definition_is_named_and_established_in_one_step() {
        let taken = Taken::default();
        let Step::Status(next) = plan(&definition(), &taken, NONE, "t") else { panic!("a new status") };
        let types: Vec<&str> = next.items("status.conditions").iter().map(|c| c.text("type")).collect();
        assert_eq!(types, ["NamesAccepted", "Established"]);
        assert!(condition::holds(&next, "Established"));
        assert_eq!(next.text("status.acceptedNames.listKind"), "FooList");
        assert_eq!(plan(&next, &taken, NONE, "later"), Step::Nothing);
    }

    #[test]
    fn what_was_established_stays_so_when_its_new_names_are_not_accepted() {
        let Step::Status(mut first) = plan(&definition(), &Taken::default(), NONE, "t") else { panic!("a status") };
        first["spec"]["names"]["shortNames"] = json!(["po"]);
        let mut taken = Taken::default();
        taken.add(&json!({"status": {"acceptedNames": {"plural": "po"}}}));
        let Step::Status(next) = plan(&first, &taken, NONE, "t") else { panic!("a status") };
        assert!(condition::holds(&next, "Established") && !condition::holds(&next, "NamesAccepted"));
    }

    #[test]
    fn a_deletion_says_so_then_empties_then_lets_go() {
        let taken = Taken::default();
        let Step::Status(mut dying) = plan(&definition(), &taken, NONE, "t") else { panic!("a status") };
        dying["metadata"]["deletionTimestamp"] = "t".into();
        dying["metadata"]["finalizers"] = json!(["a.b/c", FINALIZER]);
        let two = Instances { left: 2 };
        let Step::Status(said) = plan(&dying, &taken, two, "t") else { panic!("a status") };
        assert_eq!(condition::find(&said, "Terminating").map(|c| c.text("reason")), Some("InstanceDeletionInProgress"));
        assert_eq!(plan(&said, &taken, two, "t"), Step::Empty);
        let Step::Release(gone) = plan(&said, &taken, NONE, "t") else { panic!("a release") };
        assert_eq!(gone.at("metadata.finalizers"), &json!(["a.b/c"]));
        let mut never = definition();
        never["metadata"] = dying["metadata"].clone();
        assert!(matches!(plan(&never, &taken, two, "t"), Step::Release(_)));
    }
}

//! `allOf`, `anyOf`, `oneOf` and `not`.

use serde_json::Value;

use super::Structural;
use super::limits::Limits;
use super::outcome::{Outcome, Words};
use super::values::At;

/// Checks a value against what several schemas say of it together.
pub(super) fn check(limits: &Limits, value: &Value, at: &At, old: Option<&Value>) -> Outcome {
    let mut outcome = Outcome::passed(1);
    let each = |schemas: &[std::sync::Arc<Structural>]| -> Vec<Outcome> {
        schemas.iter().map(|schema| schema.against(value, at, old)).collect()
    };
    if !limits.any_of.is_empty() {
        any_of(each(&limits.any_of), at, &mut outcome);
    }
    if !limits.one_of.is_empty() {
        one_of(each(&limits.one_of), at, &mut outcome);
    }
    if !limits.all_of.is_empty() {
        all_of(each(&limits.all_of), at, &mut outcome);
    }
    if limits.not.as_ref().is_some_and(|schema| schema.against(value, at, None).is_valid()) {
        fail(&mut outcome, format!("\"{at}\" must not validate the schema (not)"));
    }
    outcome
}

fn any_of(found: Vec<Outcome>, at: &At, outcome: &mut Outcome) {
    if !found.iter().any(Outcome::is_valid) {
        fail(outcome, format!("\"{at}\" must validate at least one schema (anyOf)"));
    }
    merge_nearest(found, outcome);
}

fn one_of(found: Vec<Outcome>, at: &At, outcome: &mut Outcome) {
    let valid = found.iter().filter(|found| found.is_valid()).count();
    let words = match valid {
        1 => return merge_nearest(found, outcome),
        0 => "Found none valid".to_owned(),
        n => format!("Found {n} valid alternatives"),
    };
    fail(outcome, format!("\"{at}\" must validate one and only one schema (oneOf). {words}"));
    if valid == 0 {
        merge_nearest(found, outcome);
    }
}

fn all_of(found: Vec<Outcome>, at: &At, outcome: &mut Outcome) {
    let (all, valid) = (found.len(), found.iter().filter(|found| found.is_valid()).count());
    found.into_iter().for_each(|found| outcome.merge(found));
    if valid != all {
        let none = if valid == 0 { ". None validated" } else { "" };
        fail(outcome, format!("\"{at}\" must validate all the schemas (allOf){none}"));
    }
}

/// The first that is valid, else the first of those that came farthest.
fn merge_nearest(found: Vec<Outcome>, outcome: &mut Outcome) {
    let nearest = found.into_iter().reduce(|best, next| {
        let better = !best.is_valid() && (next.is_valid() || next.matches > best.matches);
        if better { next } else { best }
    });
    nearest.into_iter().for_each(|nearest| outcome.merge(nearest));
}

/// These failures are of no field.
fn fail(outcome: &mut Outcome, detail: String) {
    outcome.fail(String::new(), Words::Invalid { shown: "\"\"".to_owned(), detail });
}

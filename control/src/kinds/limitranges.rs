//! LimitRanges: admission limits pods and claims by them.

use std::collections::BTreeSet;

use objects::names;
use objects::quantity::Quantity;
use serde_json::Value;

use super::access::{Change, Look};
use super::numbers::quantity;
use super::{Behavior, resource_names};
use crate::field::{Errors, Path};

const TYPES: [&str; 3] = ["Pod", "Container", "PersistentVolumeClaim"];
const NOT_FOR_PODS: &str = "may not be specified when `type` is 'Pod'";

/// What limit ranges do.
pub const BEHAVIOR: Behavior = Behavior { default, validate, ..Behavior::GENERIC };

/// For containers a maximum is the limit by default, a limit the request, and so is a minimum.
fn default(range: &mut Value) {
    for limit in range.items_mut("spec.limits").iter_mut().filter(|l| l.text("type") == "Container") {
        for (from, to) in [("max", "default"), ("default", "defaultRequest"), ("min", "defaultRequest")] {
            let amounts: Vec<(String, Value)> =
                limit.entries(from).map(|(name, amount)| (name.to_owned(), amount.clone())).collect();
            for (name, amount) in amounts {
                limit.set_default(to, &name, amount);
            }
        }
    }
}

fn validate(range: &Value, errors: &mut Errors) {
    let at = Path::new("spec").child("limits");
    let mut seen = BTreeSet::new();
    for (i, limit) in range.items("spec.limits").iter().enumerate() {
        let at = at.index(i);
        let kind = limit.text("type");
        let wrong = names::qualified_name(kind);
        if wrong.is_empty() && !kind.contains('/') && !TYPES.contains(&kind) {
            errors.invalid(&at.child("type"), kind, "must be a standard limit type or fully qualified");
        }
        errors.all_invalid(&at.child("type"), kind, wrong);
        if !seen.insert(kind) {
            errors.duplicate(&at.child("type"), kind);
        }
        one(limit, &at, errors);
    }
}

fn one(limit: &Value, at: &Path, errors: &mut Errors) {
    let kind = limit.text("type");
    names_of(limit, &["max", "min"], at, errors);
    let defaults = ["default", "defaultRequest"];
    match kind {
        "Pod" => {
            for field in defaults.iter().filter(|field| limit.entries(field).next().is_some()) {
                errors.forbidden(&at.child(field), NOT_FOR_PODS);
            }
        }
        _ => names_of(limit, &defaults, at, errors),
    }
    let bounded = limit.at("min").get("storage").is_some() || limit.at("max").get("storage").is_some();
    if kind == "PersistentVolumeClaim" && !bounded {
        let why = "either minimum or maximum storage value is required, but neither was provided";
        errors.required(&at.child("limits"), why);
    }
    names_of(limit, &["maxLimitRequestRatio"], at, errors);
    let lists = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"];
    let all: BTreeSet<&str> = lists.iter().flat_map(|l| limit.entries(l).map(|(name, _)| name)).collect();
    for name in all {
        Bounds::of(limit, name).check(name, at, errors);
    }
}

fn names_of(limit: &Value, lists: &[&str], at: &Path, errors: &mut Errors) {
    for list in lists {
        for (name, _) in limit.entries(list) {
            let at = at.child(list).key(name);
            match limit.text("type") {
                "Pod" | "Container" => resource_names::of_containers(name, &at, errors),
                _ => resource_names::any(name, &at, errors),
            }
        }
    }
}

/// What a limit says of one resource.
struct Bounds {
    min: Option<Quantity>,
    max: Option<Quantity>,
    default: Option<Quantity>,
    request: Option<Quantity>,
    ratio: Option<Quantity>,
}

impl Bounds {
    fn of(limit: &Value, name: &str) -> Self {
        let is_pod = limit.text("type") == "Pod";
        let of = |list: &str| limit.at(list).get(name).map(quantity);
        Self {
            min: of("min"),
            max: of("max"),
            default: of("default").filter(|_| !is_pod),
            request: of("defaultRequest").filter(|_| !is_pod),
            ratio: of("maxLimitRequestRatio"),
        }
    }

    /// The least is not over the request by default, that not over the limit by default, and that not over the most.
    fn check(&self, name: &str, at: &Path, errors: &mut Errors) {
        let mut ordered =
            |low: Option<Quantity>, high: Option<Quantity>, field: &str, shown: Option<Quantity>, words: [&str; 2]| {
                if let (Some(low), Some(high), Some(shown)) = (low, high, shown)
                    && low > high
                {
                    let [low_name, high_name] = words;
                    let why = format!("{low_name} value {low} is greater than {high_name} value {high}");
                    errors.invalid(&at.child(field).key(name), shown.to_string(), &why);
                }
            };
        let Self { min, max, default, request, .. } = *self;
        ordered(min, max, "min", min, ["min", "max"]);
        ordered(min, request, "defaultRequest", request, ["min", "default request"]);
        ordered(request, max, "defaultRequest", request, ["default request", "max"]);
        ordered(request, default, "defaultRequest", request, ["default request", "default limit"]);
        ordered(min, default, "default", min, ["min", "default"]);
        ordered(default, max, "default", max, ["default", "max"]);
        self.check_ratio(&at.child("maxLimitRequestRatio").key(name), errors);
        if let (Some(default), Some(request)) = (default, request)
            && !resource_names::may_be_lower(name)
            && default != request
        {
            let why = format!("default value {default} must equal to defaultRequest value {request} in {name}");
            errors.invalid(&at.child("defaultRequest").key(name), request.to_string(), &why);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "upstream compares ratios as floats too, and shows them so")]
    fn check_ratio(&self, at: &Path, errors: &mut Errors) {
        let Some(ratio) = self.ratio else { return };
        if ratio < Quantity::from_whole(1) {
            errors.invalid(at, ratio.to_string(), &format!("ratio {ratio} is less than 1"));
        }
        if let (Some(min), Some(max)) = (self.min, self.max) {
            let most = max.milli() as f64 / min.milli() as f64;
            if ratio.milli() as f64 / 1000.0 > most {
                errors.invalid(at, ratio.to_string(), &format!("ratio {ratio} is greater than max/min = {most:.6}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(limit: Value) -> String {
        let mut errors = Errors::default();
        validate(&json!({"spec": {"limits": [limit]}}), &mut errors);
        if errors.is_empty() { String::new() } else { errors.to_string() }
    }

    #[test]
    fn limits_by_message() {
        for (limit, want) in [
            (json!({"type": "Container", "max": {"cpu": "1"}, "min": {"cpu": "1"}}), ""),
            (
                json!({"type": "Node"}),
                "spec.limits[0].type: Invalid value: \"Node\": must be a standard limit type or fully qualified",
            ),
            (
                json!({"type": "Pod", "max": {"storage": "1"}}),
                "spec.limits[0].max[storage]: Invalid value: \"storage\": must be a standard resource for containers",
            ),
            (
                json!({"type": "Pod", "default": {"cpu": "1"}}),
                "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'",
            ),
            (
                json!({"type": "PersistentVolumeClaim"}),
                "spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was \
                 provided",
            ),
            (
                json!({"type": "Container", "min": {"cpu": "2"}, "max": {"cpu": "1"}}),
                "spec.limits[0].min[cpu]: Invalid value: \"2\": min value 2 is greater than max value 1",
            ),
            (
                json!({"type": "Container", "default": {"cpu": "1"}, "defaultRequest": {"cpu": "1500m"}}),
                "spec.limits[0].defaultRequest[cpu]: Invalid value: \"1500m\": default request value 1500m is greater than \
                 default limit value 1",
            ),
            (
                json!({"type": "Container", "max": {"cpu": "4"}, "min": {"cpu": "2"}, "maxLimitRequestRatio": {"cpu": "3"}}),
                "spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: \"3\": ratio 3 is greater than max/min = 2.000000",
            ),
        ] {
            assert_eq!(said(limit), want);
        }
    }

    #[test]
    fn a_container_limit_fills_in_what_follows() {
        let mut range =
            json!({"spec": {"limits": [{"type": "Container", "max": {"cpu": "2"}, "min": {"memory": "1Mi"}}]}});
        default(&mut range);
        assert_eq!(
            range["spec"]["limits"][0],
            json!({"type": "Container", "max": {"cpu": "2"}, "min": {"memory": "1Mi"}, "default": {"cpu": "2"},
                "defaultRequest": {"cpu": "2", "memory": "1Mi"}})
        );
    }
}

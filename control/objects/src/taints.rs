//! Taints that keep pods away from nodes, and the tolerations that let them in.

use k8s_openapi::api::core::v1::{Taint, Toleration};

/// A pod that does not tolerate it is not placed here.
pub const NO_SCHEDULE: &str = "NoSchedule";
/// A pod that does not tolerate it is placed here last.
pub const PREFER_NO_SCHEDULE: &str = "PreferNoSchedule";
/// A pod that does not tolerate it is not placed here, and leaves.
pub const NO_EXECUTE: &str = "NoExecute";

/// Does this toleration cover this taint?
pub fn tolerates(toleration: &Toleration, taint: &Taint) -> bool {
    let effect = toleration.effect.as_deref().unwrap_or_default();
    let key = toleration.key.as_deref().unwrap_or_default();
    let effect_matches = effect.is_empty() || effect == taint.effect;
    let key_matches = key.is_empty() || key == taint.key;
    let value_matches = match toleration.operator.as_deref() {
        Some("Exists") => true,
        None | Some("" | "Equal") => {
            !key.is_empty()
                && toleration.value.as_deref().unwrap_or_default() == taint.value.as_deref().unwrap_or_default()
        }
        Some(_) => false,
    };
    effect_matches && key_matches && value_matches
}

/// The first taint with one of these effects that none of the tolerations covers.
pub fn untolerated<'a>(tolerations: &[Toleration], taints: &'a [Taint], effects: &[&str]) -> Option<&'a Taint> {
    taints
        .iter()
        .filter(|taint| effects.contains(&taint.effect.as_str()))
        .find(|taint| !tolerations.iter().any(|t| tolerates(t, taint)))
}

/// How long a pod with these tolerations may stay on a node with these `NoExecute` taints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stay {
    /// As long as it likes.
    Forever,
    /// This many seconds since the taint was added.
    Seconds(i64),
    /// Not at all.
    Leave,
}

/// The shortest stay that the taints and tolerations leave.
pub fn stay(tolerations: &[Toleration], taints: &[Taint]) -> Stay {
    let mut shortest = Stay::Forever;
    for taint in taints.iter().filter(|t| t.effect == NO_EXECUTE) {
        let mut covering = tolerations.iter().filter(|t| tolerates(t, taint)).peekable();
        if covering.peek().is_none() {
            return Stay::Leave;
        }
        // Of several tolerations the shortest counts, as upstream's `getMinTolerationTime` has it.
        if let Some(seconds) = covering.filter_map(|t| t.toleration_seconds).min() {
            shortest = match shortest {
                Stay::Seconds(s) => Stay::Seconds(s.min(seconds.max(0))),
                _ => Stay::Seconds(seconds.max(0)),
            };
        }
    }
    shortest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taint(key: &str, effect: &str) -> Taint {
        Taint { key: key.into(), effect: effect.into(), ..Taint::default() }
    }

    fn exists(key: &str, seconds: Option<i64>) -> Toleration {
        Toleration {
            key: Some(key.into()),
            operator: Some("Exists".into()),
            toleration_seconds: seconds,
            ..Toleration::default()
        }
    }

    #[test]
    fn an_empty_key_with_exists_covers_everything() {
        let all = Toleration { operator: Some("Exists".into()), ..Toleration::default() };
        assert!(tolerates(&all, &taint("a", NO_EXECUTE)));
        assert!(!tolerates(&Toleration::default(), &taint("a", NO_EXECUTE)));
    }

    #[test]
    fn the_shortest_stay_counts() {
        let taints = [taint("a", NO_EXECUTE), taint("b", NO_EXECUTE), taint("c", NO_SCHEDULE)];
        assert_eq!(stay(&[exists("a", None)], &taints), Stay::Leave);
        assert_eq!(stay(&[exists("a", Some(300)), exists("b", None)], &taints), Stay::Seconds(300));
        assert_eq!(stay(&[exists("a", None), exists("b", None)], &taints), Stay::Forever);
    }
}

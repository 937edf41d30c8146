//! What becomes of an object, from what its owners are.

use super::meta::Meta;
use super::{FOREGROUND, ORPHAN};
use crate::registry::Propagation;

/// What one owner is to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is there and stays.
    Solid,
    /// It goes as soon as its dependents are gone.
    Waiting,
    /// It is gone.
    Absent,
}

/// What to do about an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    Keep,
    /// Take the owners away that are not solid.
    Release,
    /// Delete it.
    Delete(Propagation),
}

/// Judges an object by its owners.
pub(super) fn judge(meta: &Meta, standings: &[Standing], has_dependents: bool) -> Verdict {
    let some = |what: Standing| standings.contains(&what);
    match (some(Standing::Solid), some(Standing::Waiting), some(Standing::Absent)) {
        (_, false, false) => Verdict::Keep,
        (true, _, _) => Verdict::Release,
        _ if meta.is_deleting() => Verdict::Keep,
        (false, true, _) if has_dependents => Verdict::Delete(Propagation::Foreground),
        // The object's own finalizers say how it wants to go.
        _ if meta.has(ORPHAN) => Verdict::Delete(Propagation::Orphan),
        _ if meta.has(FOREGROUND) => Verdict::Delete(Propagation::Foreground),
        _ => Verdict::Delete(Propagation::Background),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_solid_owner_keeps_an_object() {
        use Standing::{Absent, Solid, Waiting};
        let meta = Meta::default();
        let background = Verdict::Delete(Propagation::Background);
        for (standings, dependents, want) in [
            (&[][..], false, Verdict::Keep),
            (&[Solid], false, Verdict::Keep),
            (&[Solid, Absent], false, Verdict::Release),
            (&[Solid, Waiting], true, Verdict::Release),
            (&[Absent], true, background),
            (&[Absent, Absent], false, background),
            (&[Waiting], false, background),
            (&[Waiting], true, Verdict::Delete(Propagation::Foreground)),
        ] {
            assert_eq!(judge(&meta, standings, dependents), want, "{standings:?}");
        }
        let leaving = Meta { deletion_timestamp: Some("now".into()), ..Meta::default() };
        assert_eq!(judge(&leaving, &[Absent], false), Verdict::Keep);
    }
}

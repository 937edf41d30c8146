//! A configuration applied to an object, twice: the second time changes nothing.
#![no_main]

use std::borrow::Cow;

use libfuzzer_sys::fuzz_target;
use schema::apply::{FieldSet, Managers, TypeView, Versions};
use serde_json::Value;

/// One version, whose type is the table's.
struct One {
    view: TypeView<'static>,
    ignored: FieldSet,
}

impl Versions for One {
    fn requested(&self) -> &str {
        "apps/v1"
    }

    fn view(&self, version: &str) -> Option<TypeView<'_>> {
        (version == "apps/v1").then_some(self.view)
    }

    fn convert<'a>(&'a self, object: &'a Value, _version: &str) -> Option<Cow<'a, Value>> {
        Some(Cow::Borrowed(object))
    }

    fn ignored(&self) -> &FieldSet {
        &self.ignored
    }
}

fuzz_target!(|body: &[u8]| {
    let Some([mut live, mut config]) = sampan_fuzz::two(body) else { return };
    let Some(ty) = schema::builtin().kind("apps", "v1", "Deployment") else { return };
    let fits = |value: &mut Value| schema::admit::conform(ty, value).is_ok();
    if !fits(&mut live) || !fits(&mut config) {
        return;
    }
    let one = One { view: TypeView::Struct(ty), ignored: FieldSet::default() };
    let blank = schema::apply::blank(ty);
    let managers = schema::apply::update(&one, &blank, &live, Managers::new(), &"first");
    let Ok(applied) = schema::apply::apply(&one, &live, &config, managers, &"second", true) else { return };
    let object = applied.object.unwrap_or(live);
    for owner in applied.managers.values() {
        assert_eq!(FieldSet::decode(&owner.set.encode()).ok().as_ref(), Some(&owner.set));
    }
    let again = schema::apply::apply(&one, &object, &config, applied.managers, &"second", false);
    let again = again.expect("whoever owns a field has no conflict about it");
    assert_eq!(again.object, None, "{object}");
});

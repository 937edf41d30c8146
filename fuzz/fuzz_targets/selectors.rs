//! Selectors of labels and fields: what can be read says the same when it is written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use objects::selectors::{FieldSelector, LabelSelector};

fuzz_target!(|text: &str| {
    if let Ok(selector) = text.parse::<LabelSelector>() {
        let again: LabelSelector = selector.to_string().parse().expect("what was written can be read");
        for value in [None, Some(""), Some("a"), Some("web")] {
            assert_eq!(selector.matches_with(|_| value), again.matches_with(|_| value), "{selector}");
        }
    }
    if let Ok(selector) = text.parse::<FieldSelector>() {
        selector.matches(str::to_owned);
    }
});

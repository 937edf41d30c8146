//! What a component asks of its host and offers to it, short enough to be read beside a pod.

use std::collections::BTreeSet;

/// What follows the prefix is the container's name.
const IMPORTS: &str = "imports.sampan.dev/";
const EXPORTS: &str = "exports.sampan.dev/";

/// More than any real component has packages; annotations are for people.
const MOST: usize = 1_000;

/// The annotations that `kubectl describe pod` shows: imports by package, as `wasi:cli@0.2.3`, exports by interface.
pub fn annotations(container: &str, imports: &[String], exports: &[String]) -> [(String, String); 2] {
    let imports: BTreeSet<String> = imports.iter().map(|name| package(name)).collect();
    [
        (format!("{IMPORTS}{container}"), listed(imports.iter().map(String::as_str))),
        (format!("{EXPORTS}{container}"), listed(exports.iter().map(String::as_str))),
    ]
}

/// `wasi:cli/environment@0.2.3` belongs to `wasi:cli@0.2.3`.
fn package(name: &str) -> String {
    let Some((package, rest)) = name.split_once('/') else { return name.to_owned() };
    match rest.split_once('@') {
        Some((_, version)) => format!("{package}@{version}"),
        None => package.to_owned(),
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut list = names.collect::<Vec<_>>().join(", ");
    if list.is_empty() {
        return "none".to_owned();
    }
    if list.len() > MOST {
        list.truncate(list.floor_char_boundary(MOST));
        list.push('…');
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(imports: &[&str], exports: &[&str]) -> [(String, String); 2] {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        annotations("web", &owned(imports), &owned(exports))
    }

    #[test]
    fn imports_are_told_by_package() {
        let imports =
            ["wasi:io/poll@0.2.3", "wasi:cli/exit@0.2.3", "wasi:cli/stdin@0.2.3", "wasi:cli/run@0.3.0", "log"];
        let [imports, exports] = of(&imports, &["wasi:cli/run@0.2.3"]);
        let expected = "log, wasi:cli@0.2.3, wasi:cli@0.3.0, wasi:io@0.2.3";
        assert_eq!(imports, ("imports.sampan.dev/web".to_owned(), expected.to_owned()));
        assert_eq!(exports, ("exports.sampan.dev/web".to_owned(), "wasi:cli/run@0.2.3".to_owned()));
    }

    #[test]
    fn the_list_is_bounded() {
        let long = "x".repeat(5_000);
        let [imports, _] = of(&[&long], &[]);
        assert!(imports.1.len() <= MOST + 3);
        assert_eq!(of(&[], &[])[0].1, "none");
    }
}

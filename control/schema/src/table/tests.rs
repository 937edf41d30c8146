use super::*;

#[test]
fn holds_the_default_groups() {
    let table = builtin();
    let tops = table.resources().len();
    let subs: usize = table.resources().iter().map(|row| row.subresources.len()).sum();
    assert_eq!((tops, subs), (61, 44));
    let groups: std::collections::BTreeSet<_> = table.resources().iter().map(ResourceRow::group_version).collect();
    assert_eq!(groups.len(), 21);
}

#[test]
fn every_resource_has_a_type() {
    for row in builtin().resources() {
        let ty = builtin().kind(&row.group, &row.version, &row.kind);
        assert!(ty.is_some(), "{}/{} {}", row.group, row.version, row.kind);
        for sub in &row.subresources {
            let group = sub.group.as_deref().unwrap_or(&row.group);
            let version = sub.version.as_deref().unwrap_or(&row.version);
            let known = builtin().kind(group, version, &sub.kind).is_some();
            assert!(known || sub.kind.ends_with("Options"), "{group}/{version} {}", sub.kind);
        }
    }
}

#[test]
fn a_field_is_found_by_name() {
    let spec = builtin().named("io.k8s.api.apps.v1.DeploymentSpec").unwrap();
    let replicas = spec.field("replicas").unwrap();
    assert!(replicas.pointer && replicas.shape == Shape::Int32);
    assert!(spec.field("zzz").is_none());
    assert_eq!(spec.go(), "v1.DeploymentSpec");
}

#[test]
fn the_storage_hash_is_of_the_stored_version() {
    let hash = |group, version, name| builtin().resource(group, version, name).unwrap().storage_version_hash();
    assert_eq!(hash("apps", "v1", "deployments").as_deref(), Some("8aSe+NMegvE="));
    assert_eq!(hash("events.k8s.io", "v1", "events"), hash("", "v1", "events"));
    assert_eq!(hash("authentication.k8s.io", "v1", "tokenreviews"), None);
}

use super::*;

#[test]
fn each_policy_has_its_own_failure() {
    let directory = tempfile::tempdir().expect("directory");
    let store = Store::open(directory.path()).expect("open");
    let puller = Puller::new(store, Config::default()).expect("a puller");
    let reason = |name: &str, policy| puller.look(name, policy).expect_err("absent").reason();
    assert_eq!(reason("localhost/x", Policy::Never), "ErrImageNeverPull");
    assert_eq!(reason("localhost/x", Policy::IfNotPresent), "ErrImagePull");
    assert_eq!(reason("localhost/x", Policy::Always), "ErrImagePull");
    assert_eq!(reason("localhost/X", Policy::Always), "InvalidImageName");
    assert_eq!(reason("docker.io/x", Policy::Never), "ErrImageNeverPull");
    let asked = puller.look("docker.io/x", Policy::IfNotPresent).expect("to be asked for");
    assert!(matches!(asked, Found::Ask(reference) if reference.to_string() == "docker.io/library/x:latest"));
}

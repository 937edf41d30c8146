//! A small machine: all other tests but those of the clients, once more, with servers that have 512 GiB of address space
//! and not a byte more, as under the kernel of a Raspberry Pi.

use crate::harness::server::ADDRESS_SPACE;
use std::env;
use std::process::Command;

const KIB: &str = "536870912";

#[test]
fn is_enough_for_the_other_tests() {
    if env::var_os(ADDRESS_SPACE).is_some() {
        return;
    }
    let suite = env::current_exe().expect("this executable");
    let skipped = ["--skip", "address_space::", "--skip", "clients::"];
    let output = Command::new(suite).args(skipped).env(ADDRESS_SPACE, KIB).output().expect("the suite");
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "under `ulimit -v {KIB}`:\n{printed}\n{errors}");
}

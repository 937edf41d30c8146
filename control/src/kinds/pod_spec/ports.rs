//! The rules for container ports.

use std::collections::BTreeSet;

use objects::names;
use serde_json::Value;

use super::validate::one_of;
use crate::field::{Errors, Path};
use crate::kinds::access::Look;

/// The protocols a port may have.
const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];

/// The rules for the ports of one container.
pub fn validate(ports: &[Value], at: &Path, errors: &mut Errors) {
    let mut taken = BTreeSet::new();
    for (i, port) in ports.iter().enumerate() {
        let at = at.index(i);
        let name = port.text("name");
        if !name.is_empty() {
            let wrong = names::port_name(name);
            if wrong.is_empty() && !taken.insert(name) {
                errors.duplicate(&at.child("name"), name);
            }
            errors.all_invalid(&at.child("name"), name, wrong);
        }
        match port.int("containerPort").unwrap_or_default() {
            0 => errors.required(&at.child("containerPort"), ""),
            number => numbered(number, &at.child("containerPort"), errors),
        }
        if let Some(number) = port.int("hostPort").filter(|n| *n != 0) {
            numbered(number, &at.child("hostPort"), errors);
        }
        one_of(port, "protocol", &PROTOCOLS, &at, errors);
    }
}

/// A port of the host belongs to one container of the pod.
pub fn host_ports(containers: &[Value], at: &Path, errors: &mut Errors) {
    let mut taken = BTreeSet::new();
    for (i, container) in containers.iter().enumerate() {
        for (p, port) in container.items("ports").iter().enumerate() {
            let Some(number) = port.int("hostPort").filter(|n| *n != 0) else { continue };
            let host_port = format!("{}/{}/{number}", port.text("protocol"), port.text("hostIP"));
            if !taken.insert(host_port.clone()) {
                errors.duplicate(&at.index(i).child("ports").index(p).child("hostPort"), host_port);
            }
        }
    }
}

/// On the host's own network a port is the same inside and outside.
pub fn same_on_the_host(containers: &[Value], at: &Path, errors: &mut Errors) {
    for (i, container) in containers.iter().enumerate() {
        for (p, port) in container.items("ports").iter().enumerate() {
            let number = port.int("containerPort").unwrap_or_default();
            if port.int("hostPort") != Some(number) {
                let at = at.index(i).child("ports").index(p).child("containerPort");
                errors.invalid(&at, number, "must match `hostPort` when `hostNetwork` is true");
            }
        }
    }
}

fn numbered(number: i64, at: &Path, errors: &mut Errors) {
    for why in names::port_number(number) {
        errors.invalid(at, number, &why);
    }
}

//! The rules for what a pod says about names: its resolver and its hosts file.

use objects::names;
use serde_json::Value;

use crate::field::{Errors, Path};
use crate::kinds::access::Look;
use crate::kinds::addresses::ip;

const SERVERS_MAX: usize = 3;
const SEARCHES_MAX: usize = 32;
const SEARCH_LENGTH_MAX: usize = 2048;

/// The rules for `dnsConfig` under a policy.
pub fn config(config: &Value, policy: &str, at: &Path, errors: &mut Errors) {
    let (servers, searches) = (config.items("nameservers"), config.items("searches"));
    if policy == "None" && config.is_null() {
        return errors.required(at, "must provide `dnsConfig` when `dnsPolicy` is None");
    }
    if policy == "None" && servers.is_empty() {
        let why = "must provide at least one DNS nameserver when `dnsPolicy` is None";
        errors.required(&at.child("nameservers"), why);
    }
    if servers.len() > SERVERS_MAX {
        let why = format!("must not have more than {SERVERS_MAX} nameservers");
        errors.invalid(&at.child("nameservers"), Value::from(servers), &why);
    }
    for (i, server) in servers.iter().filter_map(Value::as_str).enumerate() {
        ip(server, &at.child("nameservers").index(i), errors);
    }
    if searches.len() > SEARCHES_MAX {
        let why = format!("must not have more than {SEARCHES_MAX} search paths");
        errors.invalid(&at.child("searches"), Value::from(searches), &why);
    }
    let texts: Vec<&str> = searches.iter().filter_map(Value::as_str).collect();
    if texts.join(" ").len() > SEARCH_LENGTH_MAX {
        let why =
            format!("must not have more than {SEARCH_LENGTH_MAX} characters (including spaces) in the search list");
        errors.invalid(&at.child("searches"), Value::from(searches), &why);
    }
    for (i, search) in texts.iter().enumerate().filter(|(_, s)| **s != ".") {
        let name = search.strip_suffix('.').unwrap_or(search);
        // Underscores are fine in a search path, though not in a host's name.
        if !names::dns1123_subdomain(&name.replace('_', "-")).is_empty() {
            errors.all_invalid(&at.child("searches").index(i), name, names::dns1123_subdomain(name));
        }
    }
    for (i, _) in config.items("options").iter().enumerate().filter(|(_, o)| o.text("name").is_empty()) {
        errors.required(&at.child("options").index(i), "must not be empty");
    }
}

/// The rules for `hostAliases`.
pub fn aliases(aliases: &[Value], at: &Path, errors: &mut Errors) {
    for (i, alias) in aliases.iter().enumerate() {
        let at = at.index(i);
        ip(alias.text("ip"), &at.child("ip"), errors);
        for (i, name) in alias.items("hostnames").iter().filter_map(Value::as_str).enumerate() {
            errors.all_invalid(&at.child("hostnames").index(i), name, names::dns1123_subdomain(name));
        }
    }
}

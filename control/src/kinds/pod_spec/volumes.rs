//! The rules for volumes and their sources.

use objects::names;
use serde_json::Value;

use super::containers::Volumes;
use super::{env, mounts};
use crate::field::{Errors, Path};
use crate::kinds::access::Look;
use crate::kinds::numbers::quantity;
use crate::kinds::{persistentvolumeclaims as claims, volume_sources};

const MODE: &str = "must be a number between 0 and 0777 (octal), both inclusive";
const SEVERAL: &str = "may not specify more than 1 volume type";

/// Checks the volumes, and gives those that containers may mount.
pub fn validate<'a>(volumes: &'a [Value], at: &Path, errors: &mut Errors) -> Volumes<'a> {
    let mut sound = Volumes::default();
    for (i, volume) in volumes.iter().enumerate() {
        let at = at.index(i);
        let mut wrong = Errors::default();
        sources(volume, &at, &mut wrong);
        let name = volume.text("name");
        match name {
            "" => wrong.required(&at.child("name"), ""),
            name => wrong.all_invalid(&at.child("name"), name, names::dns1123_label(name)),
        }
        if sound.has(name) {
            wrong.duplicate(&at.child("name"), name);
        }
        if wrong.is_empty() {
            sound.add(name, volume.has("persistentVolumeClaim") || volume.has("ephemeral"));
        }
        errors.append(wrong);
    }
    sound
}

/// Exactly one source, and the rules for it.
fn sources(volume: &Value, at: &Path, errors: &mut Errors) {
    let mut seen = false;
    for (kind, source) in volume.entries("").filter(|(field, source)| *field != "name" && !source.is_null()) {
        let at = at.child(kind);
        if seen {
            errors.forbidden(&at, SEVERAL);
            continue;
        }
        seen = true;
        one(kind, source, &at, errors);
    }
    if !seen {
        errors.required(at, "must specify a volume type");
    }
}

fn one(kind: &str, source: &Value, at: &Path, errors: &mut Errors) {
    match kind {
        "emptyDir" if quantity(source.at("sizeLimit")).signum() < 0 => {
            errors.forbidden(&at.child("sizeLimit"), "SizeLimit field must be a valid resource quantity");
        }
        "secret" => {
            required(source, "secretName", at, errors);
            files(source, at, errors);
        }
        "configMap" => {
            required(source, "name", at, errors);
            files(source, at, errors);
        }
        "downwardAPI" => {
            mode(source, "defaultMode", at, errors);
            downward(source, at, errors);
        }
        "projected" => projected(source, at, errors),
        "ephemeral" => {
            let (claim, at) = (source.at("volumeClaimTemplate"), at.child("volumeClaimTemplate"));
            if claim.is_null() {
                return errors.required(&at, "");
            }
            claims::spec(claim.at("spec"), &at.child("spec"), errors);
        }
        "image" => {
            required(source, "reference", at, errors);
            let policies = ["Always", "IfNotPresent", "Never"];
            let policy = source.text("pullPolicy");
            if !policy.is_empty() && !policies.contains(&policy) {
                errors.not_supported(&at.child("pullPolicy"), policy, &policies);
            }
        }
        other => volume_sources::validate(other, source, at, errors),
    }
}

fn projected(source: &Value, at: &Path, errors: &mut Errors) {
    mode(source, "defaultMode", at, errors);
    for (i, part) in source.items("sources").iter().enumerate() {
        let item = at.child("sources").index(i);
        let mut seen = false;
        for (kind, part) in part.entries("").filter(|(_, part)| !part.is_null()) {
            let at = item.child(kind);
            if seen {
                errors.forbidden(&at, SEVERAL);
                continue;
            }
            seen = true;
            match kind {
                "secret" | "configMap" => {
                    required(part, "name", &at, errors);
                    files(part, &at, errors);
                }
                "downwardAPI" => downward(part, &at, errors),
                "serviceAccountToken" => {
                    if let Some(seconds) = part.int("expirationSeconds").filter(|s| *s < 600) {
                        let why = "may not specify a duration less than 10 minutes";
                        errors.invalid(&at.child("expirationSeconds"), seconds, why);
                    }
                    required(part, "path", &at, errors);
                }
                _ => {}
            }
        }
        if !seen {
            errors.required(&item, "must specify a volume type");
        }
    }
}

fn files(source: &Value, at: &Path, errors: &mut Errors) {
    mode(source, "defaultMode", at, errors);
    for (i, item) in source.items("items").iter().enumerate() {
        let at = at.child("items").index(i);
        required(item, "key", &at, errors);
        required(item, "path", &at, errors);
        mounts::projected(item.text("path"), &at.child("path"), errors);
        mode(item, "mode", &at, errors);
    }
}

fn downward(source: &Value, at: &Path, errors: &mut Errors) {
    for (i, file) in source.items("items").iter().enumerate() {
        let at = at.child("items").index(i);
        required(file, "path", &at, errors);
        mounts::projected(file.text("path"), &at.child("path"), errors);
        match (file.has("fieldRef"), file.has("resourceFieldRef")) {
            (true, false) => env::field_ref(file.at("fieldRef"), &env::VOLUME_FIELDS, &at.child("fieldRef"), errors),
            (false, true) => {
                env::resource_ref(file.at("resourceFieldRef"), true, &at.child("resourceFieldRef"), errors);
            }
            (true, true) => {
                errors.invalid(&at, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously");
            }
            (false, false) => errors.required(&at, "one of fieldRef and resourceFieldRef is required"),
        }
        mode(file, "mode", &at, errors);
    }
}

fn required(source: &Value, field: &str, at: &Path, errors: &mut Errors) {
    if source.text(field).is_empty() {
        errors.required(&at.child(field), "");
    }
}

fn mode(source: &Value, field: &str, at: &Path, errors: &mut Errors) {
    if let Some(mode) = source.int(field).filter(|m| !(0..=0o777).contains(m)) {
        errors.invalid(&at.child(field), mode, MODE);
    }
}

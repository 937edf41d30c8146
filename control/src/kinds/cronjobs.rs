//! CronJobs: stored and shown; no controller runs them yet.

use jiff::Timestamp;
use objects::cron;
use serde_json::{Value, json};

use super::access::{Change, Look};
use super::columns::{AGE, CONTAINERS, Column, IMAGES, NAME};
use super::generic::keep_status;
use super::{Behavior, Generation, age, cells, jobs, numbers, pod_spec, pod_template, selectors};
use crate::field::{Errors, Path};

const NAME_MAX: usize = 52;

/// What CronJobs do.
pub const BEHAVIOR: Behavior = Behavior {
    default,
    prepare_create: |job| job.set("", "status", json!({})),
    prepare_update: keep_status,
    validate,
    validate_create,
    warnings: |job| {
        let path = ["jobTemplate", "spec", "template", "spec"].iter().fold(Path::new("spec"), |p, f| p.child(f));
        pod_spec::warnings(job.at("spec.jobTemplate.spec.template.spec"), &path)
    },
    columns: &[
        NAME,
        Column::text("Schedule", "The schedule in Cron format, see https://en.wikipedia.org/wiki/Cron."),
        Column::text(
            "Timezone",
            "The time zone name for the given schedule, see \
             https://en.wikipedia.org/wiki/List_of_tz_database_time_zones. If not specified, this will default to the \
             time zone of the kube-controller-manager process. The set of valid time zone names and the time zone \
             offset is loaded from the system-wide time zone database by the API server during CronJob validation and \
             the controller manager during execution. If no system-wide time zone database can be found a bundled \
             version of the database is used instead. If the time zone name becomes invalid during the lifetime of a \
             CronJob or due to a change in host configuration, the controller will stop creating new new Jobs and \
             will create a system event with the reason UnknownTimeZone. More information can be found in \
             https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#time-zones",
        ),
        Column::boolean(
            "Suspend",
            "This flag tells the controller to suspend subsequent executions, it does not apply to already started \
             executions.  Defaults to false.",
        ),
        Column::integer("Active", "A list of pointers to currently running jobs."),
        Column::text("Last Schedule", "Information when was the last time the job was successfully scheduled."),
        AGE,
        CONTAINERS,
        IMAGES,
        Column::text(
            "Selector",
            "A label query over pods that should match the pod count. Normally, the system sets this field for you. \
             More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors",
        )
        .wide(),
    ],
    row,
    generation: Generation::Spec,
    ..Behavior::GENERIC
};

fn default(job: &mut Value) {
    pod_template::default(job, "spec.jobTemplate.spec.template");
    job.set_default("spec", "concurrencyPolicy", "Allow");
    job.set_default("spec", "suspend", false);
    job.set_default("spec", "successfulJobsHistoryLimit", 3);
    job.set_default("spec", "failedJobsHistoryLimit", 1);
}

fn validate(job: &Value, errors: &mut Errors) {
    let (spec, at) = (job.at("spec"), Path::new("spec"));
    schedule(spec, &at.child("schedule"), errors);
    numbers::not_negative(spec, &["startingDeadlineSeconds"], &at, errors);
    time_zone(spec, &at.child("timeZone"), errors);
    let policy = spec.text("concurrencyPolicy");
    let policies = ["Allow", "Forbid", "Replace"];
    match policy {
        "" => errors.required(&at.child("concurrencyPolicy"), ""),
        other if !policies.contains(&other) => {
            errors.not_supported(&at.child("concurrencyPolicy"), policy, &policies);
        }
        _ => {}
    }
    let (template, template_at) = (spec.at("jobTemplate.spec"), at.child("jobTemplate").child("spec"));
    jobs::validate_spec(template, &template_at, errors);
    if template.has("selector") {
        let shown = selectors::shown(template.at("selector"));
        errors.invalid_as(&template_at.child("selector"), &shown, "`selector` will be auto-generated");
    }
    if template.flag("manualSelector") {
        errors.not_supported_text(&template_at.child("manualSelector"), "true", &["nil", "false"]);
    }
    numbers::not_negative(spec, &["successfulJobsHistoryLimit", "failedJobsHistoryLimit"], &at, errors);
}

fn schedule(spec: &Value, at: &Path, errors: &mut Errors) {
    let schedule = spec.text("schedule");
    if schedule.is_empty() {
        return errors.required(at, "");
    }
    if let Err(wrong) = cron::parse(schedule) {
        errors.invalid(at, schedule, &wrong.to_string());
    }
    if schedule.contains("TZ") {
        errors.invalid(at, schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
    }
}

/// The names of zones are the business of whoever runs the job; here they must look like names.
fn time_zone(spec: &Value, at: &Path, errors: &mut Errors) {
    let Some(zone) = spec.at("timeZone").as_str() else { return };
    let is_name = |part: &str| {
        let inner = |b: u8| b.is_ascii_alphanumeric() || b"_-+".contains(&b);
        !part.is_empty() && part.bytes().all(inner) && part.starts_with(|c: char| c.is_ascii_alphabetic())
    };
    if zone.is_empty() {
        errors.invalid(at, zone, "timeZone must be nil or non-empty string");
    } else if zone.eq_ignore_ascii_case("local") {
        let why = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
        errors.invalid(at, zone, why);
    } else if !zone.split('/').all(is_name) {
        errors.invalid(at, zone, &format!("unknown time zone {zone}"));
    }
}

fn validate_create(job: &Value, errors: &mut Errors) {
    // The jobs' names have eleven characters more.
    let name = job.text("metadata.name");
    if name.len() > NAME_MAX {
        let why = format!("must be no more than {NAME_MAX} characters");
        errors.invalid(&Path::new("metadata").child("name"), name, &why);
    }
}

fn row(job: &Value, now: Timestamp) -> Vec<Value> {
    let template = job.at("spec.jobTemplate.spec.template.spec");
    let suspend = match job.at("spec.suspend").as_bool() {
        Some(true) => "True",
        Some(false) => "False",
        None => "<unset>",
    };
    let last = match job.text("status.lastScheduleTime") {
        "" => "<none>".into(),
        time => age::since(time, now),
    };
    vec![
        cells::name(job),
        job.text("spec.schedule").into(),
        cells::text_or_none(job, "spec.timeZone"),
        suspend.into(),
        job.items("status.active").len().into(),
        last.into(),
        cells::age(job, now),
        cells::containers(template),
        cells::images(template),
        cells::selector(job.at("spec.jobTemplate.spec.selector")),
    ]
}

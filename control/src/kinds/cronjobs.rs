//! CronJobs: stored and shown; no controller runs them yet.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::{Change, Look};
use super::columns::{AGE, CONTAINERS, Column, IMAGES, NAME};
use super::generic::keep_status;
use super::{Behavior, Generation, age, cells, jobs, numbers, pod_spec, pod_template};
use crate::field::{Errors, Path};

/// What CronJobs do.
pub const BEHAVIOR: Behavior = Behavior {
    default,
    prepare_create: |job| job.set("", "status", json!({})),
    prepare_update: keep_status,
    validate,
    warnings: |job| {
        let path = ["jobTemplate", "spec", "template", "spec"].iter().fold(Path::new("spec"), |p, f| p.child(f));
        pod_spec::warnings(job.at("spec.jobTemplate.spec.template.spec"), &path)
    },
    columns: &[
        NAME,
        Column::text("Schedule", "The schedule in Cron format, see https://en.wikipedia.org/wiki/Cron."),
        Column::text("Timezone", "The time zone name for the given schedule."),
        Column::text("Suspend", "This flag tells the controller to suspend subsequent executions."),
        Column::integer("Active", "A list of pointers to currently running jobs."),
        Column::text("Last Schedule", "Information when was the last time the job was successfully scheduled."),
        AGE,
        CONTAINERS,
        IMAGES,
        Column::text("Selector", "A label query over pods that should match the pod count.").wide(),
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
    if spec.text("schedule").is_empty() {
        errors.required(&at.child("schedule"), "");
    }
    let policy = spec.text("concurrencyPolicy");
    let policies = ["Allow", "Forbid", "Replace"];
    if !policies.contains(&policy) {
        errors.not_supported(&at.child("concurrencyPolicy"), policy, &policies);
    }
    let counts = ["startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"];
    numbers::not_negative(spec, &counts, &at, errors);
    let template_at = at.child("jobTemplate").child("spec").child("template");
    jobs::validate_template(spec.at("jobTemplate.spec.template"), &template_at, errors);
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

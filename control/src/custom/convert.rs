//! From the version that is stored to the one that is asked for, and back.
//!
//! An object on its way out is first what its own version says today (pruned and with defaults: the definition may have
//! changed since it was written), then converted, then pruned again by the version that is asked for.

use std::time::Duration;

use serde_json::Value;
use uuid::Uuid;

use super::kind::{Conversion, Family, Kind};
use super::review;
use super::schema::Structural;
use crate::kinds::{Change, Look};
use crate::status::Status;
use crate::webhook::{self, ClientConfig};

/// How long a conversion may take: upstream's time for any request to a webhook.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why an object has no other version.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// The webhook was asked in vain.
    #[error("conversion webhook for {kind} failed: {why}")]
    Failed {
        /// `stable.example.com/v1, Kind=CronTab`
        kind: String,
        /// Why.
        why: String,
    },
    /// It forgot some.
    #[error("conversion webhook for {kind} returned {got} objects, expected {expected}")]
    Count {
        /// Of which kind.
        kind: String,
        /// So many came back.
        got: usize,
        /// So many were sent.
        expected: usize,
    },
    /// It answered with something else.
    #[error("conversion webhook for {kind} returned invalid converted object at index {index}: {why}")]
    Changed {
        /// Of which kind.
        kind: String,
        /// Which.
        index: usize,
        /// What is wrong with it.
        why: String,
    },
}

impl From<ConvertError> for Status {
    fn from(error: ConvertError) -> Self {
        Self::new(500, "", error.to_string())
    }
}

impl Kind {
    /// True where a stored object can only be shown after a webhook was asked.
    pub fn asks_webhook(&self) -> bool {
        matches!(self.family.conversion, Conversion::Webhook { .. })
    }

    /// True for an object in the version that is stored today.
    pub fn is_kept(&self, stored: &Value) -> bool {
        stored.text("apiVersion").rsplit('/').next() == Some(&*self.family.storage)
    }

    /// A stored object in this version, where nobody has to be asked for it.
    pub fn show(&self, object: &mut Value) {
        self.family.refresh(object);
        if object.text("apiVersion") != self.api_version() {
            object.set("", "apiVersion", self.api_version());
            self.settle(object);
        }
        Structural::order(object);
    }

    /// Stored objects in this version.
    ///
    /// # Errors
    /// Where a webhook does not do its part.
    pub async fn shown(&self, webhooks: &webhook::Client, mut objects: Vec<Value>) -> Result<Vec<Value>, ConvertError> {
        objects.iter_mut().for_each(|object| self.family.refresh(object));
        self.family.convert(webhooks, &mut objects, &self.api_version()).await?;
        for object in &mut objects {
            self.settle(object);
            Structural::order(object);
        }
        Ok(objects)
    }

    /// An object of this version as it is stored.
    ///
    /// # Errors
    /// Where a webhook does not do its part.
    pub async fn stored(&self, webhooks: &webhook::Client, object: Value) -> Result<Value, ConvertError> {
        if self.is_stored() {
            return Ok(object);
        }
        let desired = format!("{}/{}", self.family.group, self.family.storage);
        let mut objects = vec![object];
        self.family.convert(webhooks, &mut objects, &desired).await?;
        let mut object = objects.pop().unwrap_or_default();
        self.family.prune(&mut object);
        Structural::order(&mut object);
        Ok(object)
    }

    /// Drops what this version does not know.
    fn settle(&self, object: &mut Value) {
        let _ = self.schema.admit(object);
    }
}

impl Family {
    /// Makes of an object what its version says today.
    fn refresh(&self, object: &mut Value) {
        if self.untouched {
            return;
        }
        self.prune(object);
        if let Some(schema) = self.schema_of(object) {
            schema.default(object);
        }
    }

    /// Drops what an object's own version does not know. Metadata within it that is none stays as it was stored.
    fn prune(&self, object: &mut Value) {
        if let Some(schema) = self.schema_of(object) {
            let _ = schema.admit(object);
        }
    }

    async fn convert(
        &self,
        webhooks: &webhook::Client,
        objects: &mut [Value],
        desired: &str,
    ) -> Result<(), ConvertError> {
        let mut others: Vec<&mut Value> = objects.iter_mut().filter(|o| o.text("apiVersion") != desired).collect();
        if others.is_empty() {
            return Ok(());
        }
        match &self.conversion {
            Conversion::None => others.iter_mut().for_each(|object| object.set("", "apiVersion", desired)),
            Conversion::Webhook { client, review } => {
                let asked: Vec<Value> = others.iter_mut().map(|o| o.take()).collect();
                let kind = format!("{}, Kind={}", asked[0].text("apiVersion"), self.kind);
                let converted = ask(webhooks, client, review, &kind, &asked, desired).await?;
                others.into_iter().zip(converted).for_each(|(object, converted)| *object = converted);
            }
        }
        Ok(())
    }
}

async fn ask(
    webhooks: &webhook::Client,
    client: &ClientConfig,
    version: &str,
    kind: &str,
    asked: &[Value],
    desired: &str,
) -> Result<Vec<Value>, ConvertError> {
    let failed = |why: String| ConvertError::Failed { kind: kind.to_owned(), why };
    let uid = Uuid::new_v4().to_string();
    let question = review::question(asked, desired, &uid, version);
    let answer = webhooks.call(client, &question, PATIENCE).await.map_err(|e| failed(e.to_string()))?;
    let converted = review::answer(answer, &uid, version).map_err(failed)?;
    let (got, expected) = (converted.len(), asked.len());
    if got != expected {
        return Err(ConvertError::Count { kind: kind.to_owned(), got, expected });
    }
    let changed = |index, why| ConvertError::Changed { kind: kind.to_owned(), index, why };
    let restored = asked.iter().zip(converted).enumerate();
    restored.map(|(i, (was, is))| review::restore(was, is, desired).map_err(|why| changed(i, why))).collect()
}

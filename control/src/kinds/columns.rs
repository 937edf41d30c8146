//! The columns of Tables, as `kubectl get` prints them.

use serde_json::{Value, json};

/// One column of a kind's Table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// The heading, before kubectl makes it upper case.
    pub name: &'static str,
    /// `string`, `integer`, `boolean` or `date`.
    pub kind: &'static str,
    /// `name` marks the column that names the object; else empty.
    pub format: &'static str,
    /// 0 is always shown, 1 only by `-o wide`.
    pub priority: u8,
    /// What the column says.
    pub description: &'static str,
}

impl Column {
    /// A column of text.
    pub const fn text(name: &'static str, description: &'static str) -> Self {
        Self { name, kind: "string", format: "", priority: 0, description }
    }

    /// A column of whole numbers.
    pub const fn integer(name: &'static str, description: &'static str) -> Self {
        Self { name, kind: "integer", format: "", priority: 0, description }
    }

    /// A column of true and false.
    pub const fn boolean(name: &'static str, description: &'static str) -> Self {
        Self { name, kind: "boolean", format: "", priority: 0, description }
    }

    /// The same column, shown only by `-o wide`.
    #[must_use]
    pub const fn wide(mut self) -> Self {
        self.priority = 1;
        self
    }

    /// The column as `columnDefinitions` of a Table carries it.
    pub fn definition(&self) -> Value {
        json!({
            "name": self.name,
            "type": self.kind,
            "format": self.format,
            "description": self.description,
            "priority": self.priority,
        })
    }
}

/// The object's name.
pub const NAME: Column = Column {
    name: "Name",
    kind: "string",
    format: "name",
    priority: 0,
    description: "Name must be unique within a namespace. Is required when creating resources, although some resources \
                  may allow a client to request the generation of an appropriate name automatically. Name is primarily \
                  intended for creation idempotence and configuration definition. Cannot be updated. More info: \
                  https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names",
};

const CREATION: &str = "CreationTimestamp is a timestamp representing the server time when this object was created. \
    It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. \
    It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: \
    https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

/// How long ago the object was made.
pub const AGE: Column = Column::text("Age", CREATION);

/// When the object was made, for kinds without columns of their own.
pub const CREATED_AT: Column =
    Column { name: "Created At", kind: "date", format: "", priority: 0, description: CREATION };

/// The names of a workload's containers.
pub const CONTAINERS: Column = Column::text("Containers", "Names of each container in the template.").wide();

/// The images of a workload's containers.
pub const IMAGES: Column = Column::text("Images", "Images referenced by each container in the template.").wide();

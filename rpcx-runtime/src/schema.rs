//! JSON schemas of what the methods of a service take and give.

use std::marker::PhantomData;
use std::ops::Deref;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::method::MethodInfo;
use crate::service_info::ServiceInfo;

/// A generated client, whose service can be described; `#[rpcx::service]` implements it.
pub trait Schemas {
    /// Gives what is known of the service as a whole.
    #[doc(hidden)]
    fn info() -> &'static ServiceInfo;

    /// Describes the methods.
    #[doc(hidden)]
    fn methods(generator: &mut SchemaGenerator) -> Vec<MethodSchema>;
}

/// Describes a service as JSON: its methods, and the JSON schemas (draft 2020-12) of what they take and give.
///
/// `S` is the generated client. A type that implements schemars' [`JsonSchema`] has its schema, with
/// what it refers to under `$defs`; any other has one that allows everything and names the type. The schemas
/// are those of the types as serde writes them, which is what the JSON codec sends.
///
/// ```
/// # #[cfg(feature = "macros")] {
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, schemars::JsonSchema)]
/// pub struct Item { name: String, count: u32 }
///
/// #[rpcx::service]
/// pub trait Stock {
///     async fn put(&self, item: Item) -> rpcx::Result<u32>;
/// }
///
/// let schema = rpcx::reflection::schema::<StockClient>();
/// assert_eq!(schema["methods"][0]["name"], "Put");
/// assert_eq!(schema["methods"][0]["arguments"]["$ref"], "#/$defs/Item");
/// assert_eq!(schema["$defs"]["Item"]["properties"]["count"]["type"], "integer");
/// # }
/// ```
pub fn schema<S: Schemas>() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let methods: Vec<Value> =
        S::methods(&mut generator).into_iter().map(MethodSchema::into_json).collect();
    let info = S::info();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "service": info.name(),
        "documentation": info.documentation(),
        "methods": methods,
        "$defs": generator.take_definitions(true),
    })
}

/// What one method takes and gives.
#[derive(Debug)]
pub struct MethodSchema {
    info: &'static MethodInfo,
    parameters: Vec<Option<Schema>>,
    reply: Option<Schema>,
}

impl MethodSchema {
    /// Puts the parts together.
    pub const fn new(
        info: &'static MethodInfo,
        parameters: Vec<Option<Schema>>,
        reply: Option<Schema>,
    ) -> Self {
        Self { info, parameters, reply }
    }

    fn into_json(self) -> Value {
        let Self { info, parameters, reply } = self;
        let named = info.sent_parameters().iter().zip(parameters);
        let mut named: Vec<_> = named
            .map(|(known, schema)| (known.name(), or_any(schema, known.type_name())))
            .collect();
        let arguments = match named.len() {
            1 => named.remove(0).1,
            _ => {
                let required: Vec<_> = named.iter().map(|(name, _)| *name).collect();
                let required = json!(required);
                let properties: Map<_, _> =
                    named.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
                json!({ "type": "object", "properties": properties, "required": required })
            }
        };
        json!({
            "name": info.name(),
            "aliases": info.alias_names(),
            "documentation": info.documentation(),
            "oneway": info.is_oneway(),
            "idempotent": info.is_idempotent(),
            "arguments": arguments,
            "reply": or_any(reply, info.reply_type()),
        })
    }
}

/// Gives the schema, or one that allows everything.
fn or_any(schema: Option<Schema>, type_name: &str) -> Value {
    schema.map_or_else(|| json!({ "description": type_name }), Schema::to_value)
}

/// Finds out whether a type has a schema, by method resolution: no bound, no error.
#[derive(Debug)]
pub struct Described<T>(Undescribed<T>);

/// A type that has none.
#[derive(Debug)]
pub struct Undescribed<T>(PhantomData<fn() -> T>);

impl<T> Described<T> {
    /// The question.
    pub const ASKED: Self = Self(Undescribed(PhantomData));
}

impl<T: JsonSchema> Described<T> {
    /// Gives the type's schema.
    pub fn schema(&self, generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.subschema_for::<T>())
    }
}

impl<T> Undescribed<T> {
    /// Says that there is none.
    #[expect(clippy::unused_self, reason = "it is found where the other method is not")]
    pub const fn schema(&self, _: &mut SchemaGenerator) -> Option<Schema> {
        None
    }
}

impl<T> Deref for Described<T> {
    type Target = Undescribed<T>;

    fn deref(&self) -> &Undescribed<T> {
        &self.0
    }
}

//! What a program may ask about services while it runs.
#![cfg(feature = "macros")]

use rpcx::reflection::{MethodInfo, ServiceInfo};
use rpcx::{Client as _, Context, Result, Server};
use serde::Serialize;
use serde::de::DeserializeOwned;

type UnitResult = Result<()>;

/// Keeps count.
///
/// Of everything.
#[rpcx::service(name = "Counts", dyn, mock)]
trait Stock<K>
where
    K: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    /// Takes an item.
    #[rpcx(idempotent, alias = ["take_item", "grab"])]
    async fn take(
        &self,
        context: &Context,
        item: &K,
        #[rpcx(name = "Labels")] labels: &[String],
        text: &str,
        pair: (u8, [K; 2]),
    ) -> Result<Option<Vec<u8>>>;

    #[rpcx(oneway)]
    #[doc = concat!("Notes", " a text.")]
    async fn note(&self, text: String) -> UnitResult;

    #[cfg(any())]
    async fn gone(&self) -> Result<()>;

    /**Ends.*/
    async fn end(&self) -> Result<u8>;

    #[rpcx(local)]
    async fn local(&self) {}
}

#[rpcx::service]
trait Bare {
    async fn method(&self) -> Result<()>;
}

macro_rules! documented {
    ($text:literal, $ty:ty) => {
        #[doc = $text]
        #[rpcx::service]
        trait Documented {
            #[doc = $text]
            async fn method(&self, list: Vec<$ty>) -> Result<$ty>;
        }
    };
}

documented!(" By a macro.", Option<i32>);

fn find(info: &ServiceInfo, name: &str) -> &'static MethodInfo {
    info.methods().iter().find(|method| method.name() == name).expect("the method is there")
}

fn parameters(method: &MethodInfo) -> Vec<(&'static str, &'static str)> {
    method.sent_parameters().iter().map(|p| (p.name(), p.type_name())).collect()
}

#[test]
fn a_client_type_describes_its_service() {
    let info = StockClient::<i32>::service_info().unwrap();
    assert_eq!(info.name(), "Counts");
    assert_eq!(info.documentation(), "Keeps count.\n\nOf everything.");
    let names: Vec<_> = info.methods().iter().map(|method| method.name()).collect();
    assert_eq!(names, ["Take", "Note", "End"]);

    let take = find(info, "Take");
    assert_eq!(take.service_path(), "Counts");
    assert_eq!(take.documentation(), "Takes an item.");
    assert_eq!(take.alias_names(), ["take_item", "grab"]);
    assert!(take.is_idempotent());
    assert!(!take.is_oneway());
    assert_eq!(
        parameters(take),
        [("item", "K"), ("Labels", "Vec<String>"), ("text", "String"), ("pair", "(u8, [K; 2])")]
    );
    assert_eq!(take.reply_type(), "Option<Vec<u8>>");

    let note = find(info, "Note");
    assert_eq!(note.documentation(), "Notes a text.\n");
    assert!(note.is_oneway());
    assert_eq!(parameters(note), [("text", "String")]);
    assert_eq!(note.reply_type(), "UnitResult");

    let end = find(info, "End");
    assert_eq!(end.documentation(), "Ends.");
    assert_eq!((parameters(end), end.reply_type()), (vec![], "u8"));
}

#[test]
fn what_is_not_documented_has_an_empty_text() {
    let info = BareClient::service_info().unwrap();
    assert_eq!(info.documentation(), "");
    assert_eq!(find(info, "Method").documentation(), "");
}

#[test]
fn macros_may_write_documentation_and_types() {
    let info = DocumentedClient::service_info().unwrap();
    assert_eq!(info.documentation(), "By a macro.");
    let method = find(info, "Method");
    assert_eq!(parameters(method), [("list", "Vec<Option<i32>>")]);
    assert_eq!(method.reply_type(), "Option<i32>");
}

#[tokio::test]
async fn a_server_lists_its_services_by_name() {
    let server = Server::new()
        .add(StockServer::new(StockMock::<u8>::new()))
        .add_as("Another", BareServer::new(Nothing));
    let listed: Vec<_> = server.services().map(|(name, info)| (name, info.name())).collect();
    assert_eq!(listed, [("Another", "Bare"), ("Counts", "Counts")]);
    let bound = server.bind("memory@reflection").await.unwrap();
    assert_eq!(bound.services().map(|(_, info)| info.methods().len()).sum::<usize>(), 4);
}

struct Nothing;

impl Bare for Nothing {
    async fn method(&self) -> Result<()> {
        Ok(())
    }
}

#[cfg(feature = "schema")]
mod schemas {
    use serde::{Deserialize, Serialize};
    use serde_json::json;

    #[derive(Serialize, Deserialize, schemars::JsonSchema)]
    #[serde(rename_all = "PascalCase")]
    pub(crate) struct Item {
        name: String,
        parts: Vec<Item>,
    }

    #[derive(Serialize, Deserialize)]
    pub(crate) struct Opaque;

    /// Describes itself.
    #[rpcx::service]
    pub(crate) trait Shelf {
        #[rpcx(idempotent)]
        async fn put(&self, item: &Item) -> rpcx::Result<Option<u8>>;

        #[rpcx(oneway)]
        async fn move_all(
            &self,
            ctx: &rpcx::Context,
            opaque: Opaque,
            to: String,
        ) -> rpcx::Result<()>;

        #[cfg(any())]
        async fn gone(&self) -> rpcx::Result<()>;

        async fn count(&self) -> rpcx::Result<u64>;
    }

    #[rpcx::service]
    pub(crate) trait Anything<T>
    where
        T: Serialize + serde::de::DeserializeOwned + Send + 'static,
    {
        async fn keep(&self, value: T) -> rpcx::Result<Vec<T>>;
    }

    #[no_implicit_prelude]
    mod without_prelude {
        #[::rpcx::service]
        pub(crate) trait Bare {
            async fn put(&self, item: &str) -> ::rpcx::Result<()>;
            async fn end(&self) -> ::rpcx::Result<()>;
        }

        #[::rpcx::service]
        pub(crate) trait Hollow {
            #[cfg(any())]
            async fn gone(&self) -> ::rpcx::Result<()>;
        }
    }

    #[test]
    fn schemas_need_neither_the_prelude_nor_any_method() {
        let schema = rpcx::reflection::schema::<without_prelude::BareClient>();
        assert_eq!(schema["methods"].as_array().unwrap().len(), 2);
        let schema = rpcx::reflection::schema::<without_prelude::HollowClient>();
        assert_eq!(schema["methods"], json!([]));
    }

    #[test]
    fn a_service_is_described_with_the_schemas_of_its_types() {
        let schema = rpcx::reflection::schema::<ShelfClient>();
        assert_eq!(
            (&schema["service"], &schema["documentation"]),
            (&json!("Shelf"), &json!("Describes itself."))
        );
        let [put, move_all, count] = schema["methods"].as_array().unwrap().as_slice() else {
            panic!("{schema:#}")
        };
        assert_eq!(put["arguments"], json!({ "$ref": "#/$defs/Item" }));
        assert_eq!(put["reply"]["type"], json!(["integer", "null"]));
        assert_eq!((&put["idempotent"], &put["oneway"]), (&json!(true), &json!(false)));
        let item = &schema["$defs"]["Item"];
        assert_eq!(item["required"], json!(["Name", "Parts"]));
        assert_eq!(item["properties"]["Parts"]["items"], json!({ "$ref": "#/$defs/Item" }));
        assert_eq!(
            move_all["arguments"],
            json!({
                "type": "object",
                "properties": { "opaque": { "description": "Opaque" }, "to": { "type": "string" } },
                "required": ["opaque", "to"],
            })
        );
        assert_eq!(move_all["reply"], json!({ "type": "null" }));
        assert_eq!(
            count["arguments"],
            json!({ "type": "object", "properties": {}, "required": [] })
        );
        assert_eq!(count["reply"]["type"], json!("integer"));
    }

    #[test]
    fn inside_generic_code_only_the_bounds_count() {
        let schema = rpcx::reflection::schema::<AnythingClient<u8>>();
        assert_eq!(schema["methods"][0]["arguments"], json!({ "description": "T" }));
    }
}

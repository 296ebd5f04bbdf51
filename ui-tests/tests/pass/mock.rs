//! `mock`: a stand-in whose methods are closures.
#![deny(warnings, missing_docs, missing_debug_implementations, unreachable_pub)]
#![deny(unused_qualifications, single_use_lifetimes, let_underscore_drop)]

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};

/// Calculates.
#[rpcx::service]
#[cfg_attr(all(), rpcx(mock))]
pub(crate) trait Arith {
    /// A context and borrowed parameters.
    async fn mul(&self, ctx: &rpcx::Context, a: i32, text: &str, b: &[i32]) -> rpcx::Result<i32>;

    /// Nothing borrowed.
    async fn add(&self, a: i32, b: Option<i32>) -> Result<i32, rpcx::Error>;

    /// No parameters.
    async fn r#type(&self) -> rpcx::Result<()>;

    /// Has a body.
    #[expect(unused_variables)]
    async fn double(&self, mut numbers: Vec<i32>) -> rpcx::Result<i32> {
        let unused = 1;
        numbers.push(1);
        if numbers.len() == 1 {
            return Ok(1);
        }
        let sum = self.add(2, Some(numbers.len() as i32)).await?;
        Ok(sum)
    }

    #[cfg(any())]
    async fn gone(&self, a: Missing) -> rpcx::Result<Missing>;

    /// Conditional.
    #[cfg(all())]
    #[deprecated]
    #[rpcx(oneway)]
    async fn note(&self) -> rpcx::Result<()>;

    /// Local.
    #[rpcx(local)]
    async fn sum(&self, (a, b): (i32, i32)) -> i32 {
        a + b
    }
}

async fn generic(arith: impl Arith) -> rpcx::Result<i32> {
    arith.r#type().await?;
    arith.mul(&rpcx::Context::default(), 1, "ab", &[1, 2]).await
}

/// Its methods are called like what is generated.
#[rpcx::service(mock)]
pub trait Awkward {
    /// A.
    async fn new(&self, a: i32) -> rpcx::Result<i32>;
    /// B.
    async fn calls(&self) -> rpcx::Result<i32>;
    /// C.
    async fn new_async(&self, a: i32) -> rpcx::Result<i32>;
    /// D.
    async fn default(&self) -> rpcx::Result<i32>;
    /// E.
    async fn clone(&self) -> rpcx::Result<i32>;
    /// F.
    async fn answer(&self, answer: i32, closure: i32) -> rpcx::Result<i32>;
    /// G.
    async fn on_answer(&self) -> rpcx::Result<i32>;
    /// H.
    async fn list(&self) -> rpcx::Result<i32>;
}

/// What is stored.
pub trait Data: Serialize + DeserializeOwned + Send + Sync + 'static {}
impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Data for T {}

/// What implementations are called.
pub trait Named {
    /// The name.
    fn called(&self) -> String;
}

/// Stores.
#[rpcx::service]
#[rpcx(mock, dyn)]
pub trait Store<K: Data, V = String, const N: usize = 2>: Debug
where
    V: Data + Clone,
    Self: Named,
{
    /// A constant.
    const LIMIT: usize = N;

    /// Gets.
    async fn get(&self, key: &K) -> rpcx::Result<Option<V>>;

    /// Puts.
    async fn put(&self, key: K, values: Vec<V>) -> rpcx::Result<()>;
}

impl Named for StoreMock<u64> {
    fn called(&self) -> String {
        format!("{self:?}")
    }
}

async fn stored<S: Store<u64> + 'static>(store: S) -> rpcx::Result<Option<String>> {
    store.put(1, Vec::new()).await?;
    let text = store.get(&1).await;
    drop(rpcx::Server::new().add(StoreServer::new(store)));
    text
}

macro_rules! service {
    ($name:ident $mock:ident; $method:ident($($parameter:ident: $ty:ty),*) -> $result:ty) => {
        /// By a macro.
        #[rpcx::service]
        #[rpcx($mock)]
        pub trait $name {
            /// By a macro.
            async fn $method(&self, $($parameter: $ty),*) -> $result;
        }
    };
}

service!(ByMacro mock; concat(a: &str, b: String) -> rpcx::Result<String>);

#[tokio::main(flavor = "current_thread")]
async fn main() -> rpcx::Result<()> {
    let mut count = 0;
    let mock = ArithMock::new()
        .on_mul(move |_ctx, a, text, b| {
            count += 1;
            Ok(a + count + text.chars().map(|_| 1).sum::<i32>() + b.iter().sum::<i32>())
        })
        .on_type_async(|| async {
            tokio::task::yield_now().await;
            Ok(())
        });
    assert_eq!(generic(mock.clone()).await?, 7);
    assert_eq!(generic(mock.clone()).await?, 8);
    assert_eq!(mock.calls(), ["type", "mul", "type", "mul"]);
    assert_eq!(mock.double(Vec::new()).await?, 1);
    assert_eq!(mock.sum((1, 2)).await, 3);
    let error = mock.double(vec![1]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "ArithMock has no answer for `add`: give it one with `on_add`"
    );
    assert_eq!(mock.calls()[4..], ["double", "double", "add"]);
    let mock = mock.on_double(|numbers| numbers.first().copied().ok_or("none".into_error()));
    assert_eq!(mock.double(vec![5]).await?, 5);
    assert!(mock.double(vec![]).await.is_err());
    drop(rpcx::Server::new().add(ArithServer::new(mock)));

    let awkward = AwkwardMock::new()
        .on_new(|a| Ok(a + 1))
        .on_new_async(|a| Ok(a + 2))
        .on_answer(|a, b| Ok(a + b));
    assert_eq!(awkward.new(1).await?, 2);
    assert_eq!(awkward.new_async(1).await?, 3);
    assert_eq!(awkward.answer(1, 2).await?, 3);
    assert_eq!(awkward.mock_calls(), ["new", "new_async", "answer"]);

    let store = StoreMock::<u64>::new()
        .on_put_async(|_, values| async move { values.is_empty().then_some(()).ok_or("full".into_error()) })
        .on_get(|key| Ok(Some(key.to_string())));
    assert_eq!(store.called(), "StoreMock { calls: [], .. }");
    assert_eq!(stored(store).await?.as_deref(), Some("1"));

    let mock = ByMacroMock::new().on_concat(|a, b| Ok(format!("{a}{b}")));
    assert_eq!(mock.concat("a", "b".to_owned()).await?, "ab");
    Ok(())
}

trait IntoError {
    fn into_error(self) -> rpcx::Error;
}

impl IntoError for &str {
    fn into_error(self) -> rpcx::Error {
        rpcx::Error::service(self)
    }
}

//! `dyn`: implementations that are chosen while the program runs.
#![deny(warnings, missing_docs, unreachable_pub, unused_qualifications, single_use_lifetimes)]

use std::fmt::Debug;
use std::sync::Arc;

use serde::{Serialize, de::DeserializeOwned};

/// Calculates.
#[rpcx::service]
#[rpcx(dyn)]
pub(crate) trait Arith {
    /// A context and borrowed parameters.
    async fn mul(&self, ctx: &rpcx::Context, a: i32, text: &str, b: &[i32]) -> rpcx::Result<i32>;

    /// Nothing borrowed.
    async fn add(&self, a: i32, b: Option<i32>) -> rpcx::Result<i32>;

    /// One borrow.
    async fn len(&self, text: &str) -> rpcx::Result<usize>;

    /// No parameters.
    async fn r#type(&self) -> rpcx::Result<()>;

    /// Has a body, which implementations may replace.
    async fn double(&self, mut numbers: Vec<i32>) -> rpcx::Result<i32> {
        numbers.push(1);
        self.add(2, Some(numbers.len() as i32)).await
    }

    #[cfg(any())]
    async fn gone(&self, a: Missing) -> rpcx::Result<Missing>;

    /// Conditional.
    #[cfg(all())]
    #[deprecated]
    #[rpcx(oneway)]
    async fn note(&self) -> rpcx::Result<()> {
        Ok(())
    }

    /// Local, with a pattern.
    #[rpcx(local)]
    async fn sum(&self, (a, b): (i32, i32), name: &str) -> i32 {
        a + b + name.len() as i32
    }

    /// Local, not async.
    #[rpcx(local)]
    fn name(&self, prefix: &str) -> &'static str {
        let _ = prefix;
        "arith"
    }

    /// Local, borrowed in and out.
    #[rpcx(local)]
    async fn title<'a>(&'a self, prefix: &'a str) -> &'a str {
        prefix
    }

    /// Local, borrowed out.
    #[rpcx(local)]
    async fn own_title(&self) -> &str {
        "own"
    }

    /// Local, generic.
    #[rpcx(local)]
    fn convert<T: Into<i32>>(value: T) -> i32
    where
        Self: Sized,
    {
        value.into()
    }
}

struct Plain;

impl Arith for Plain {
    async fn mul(&self, _: &rpcx::Context, a: i32, text: &str, b: &[i32]) -> rpcx::Result<i32> {
        Ok(a + text.len() as i32 + b.len() as i32)
    }

    async fn add(&self, a: i32, b: Option<i32>) -> rpcx::Result<i32> {
        Ok(a + b.unwrap_or_default())
    }

    async fn len(&self, text: &str) -> rpcx::Result<usize> {
        Ok(text.len())
    }

    async fn r#type(&self) -> rpcx::Result<()> {
        Ok(())
    }

    fn name(&self, _prefix: &str) -> &'static str {
        "plain"
    }

    async fn double(&self, _numbers: Vec<i32>) -> rpcx::Result<i32> {
        Ok(-1)
    }
}

/// Borrows, as test doubles do.
struct Borrowing<'a>(&'a str);

impl Arith for Borrowing<'_> {
    async fn mul(&self, _: &rpcx::Context, a: i32, _: &str, _: &[i32]) -> rpcx::Result<i32> {
        Ok(a)
    }

    async fn add(&self, a: i32, _: Option<i32>) -> rpcx::Result<i32> {
        Ok(a)
    }

    async fn len(&self, _: &str) -> rpcx::Result<usize> {
        Ok(self.0.len())
    }

    async fn r#type(&self) -> rpcx::Result<()> {
        Ok(())
    }
}

async fn generic<A: Arith + ?Sized>(arith: &A) -> rpcx::Result<i32> {
    let ctx = rpcx::Context::default();
    arith.r#type().await?;
    arith.mul(&ctx, 1, "ab", &[1, 2]).await
}

async fn check(boxed: Box<dyn DynArith>, shared: Arc<dyn DynArith>) -> rpcx::Result<()> {
    assert_eq!(generic(&boxed).await?, 5);
    assert_eq!(generic(&shared).await?, 5);
    assert_eq!(generic(&*boxed).await?, 5);
    assert_eq!(boxed.double(vec![1]).await?, -1);
    assert_eq!(boxed.name("x"), "plain");
    assert_eq!(shared.sum((1, 2), "abc").await, 6);
    assert_eq!(shared.title("t").await, "t");
    assert_eq!(shared.own_title().await, "own");
    assert_eq!(Plain.len("abc").await?, 3);
    let text = "four".to_owned();
    let borrowing: Box<dyn DynArith + '_> = Box::new(Borrowing(&text));
    assert_eq!(borrowing.len("").await?, 4);
    assert_eq!(borrowing.double(Vec::new()).await?, 2);
    // A pointer to a pointer is one more.
    let nested: Box<dyn DynArith> = Box::new(shared);
    assert_eq!(nested.add(1, None).await?, 1);
    let _ = rpcx::Server::new().add(ArithServer::new(boxed));
    let client: fn(ArithClient) -> Box<dyn DynArith> = |client| Box::new(client);
    let _ = client;
    assert_eq!(Plain::convert(3_u8), 3);
    Ok(())
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
#[rpcx::service(dyn = true)]
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

#[derive(Debug)]
struct Map;

impl Named for Map {
    fn called(&self) -> String {
        "map".to_owned()
    }
}

impl<K: Data, V: Data + Clone, const N: usize> Named for Box<dyn DynStore<K, V, N>> {
    fn called(&self) -> String {
        format!("boxed {}", (**self).called())
    }
}

impl Store<u64> for Map {
    async fn get(&self, key: &u64) -> rpcx::Result<Option<String>> {
        Ok(Some(format!("{key} {}", self.called())))
    }

    async fn put(&self, _key: u64, _values: Vec<String>) -> rpcx::Result<()> {
        Ok(())
    }
}

async fn stored(store: impl Store<u64> + 'static) -> rpcx::Result<String> {
    assert_eq!(store.called(), "boxed map");
    store.put(1, Vec::new()).await?;
    let text = store.get(&1).await?.unwrap_or_default();
    let _ = rpcx::Server::new().add(StoreServer::new(store));
    Ok(text)
}

/// Off.
#[rpcx::service(dyn = false)]
pub trait Off {
    /// A method.
    async fn method(&self) -> rpcx::Result<()>;
}

struct DynOff;

#[tokio::main(flavor = "current_thread")]
async fn main() -> rpcx::Result<()> {
    let _ = DynOff;
    check(Box::new(Plain), Arc::new(Plain)).await?;
    let store: Box<dyn DynStore<u64>> = Box::new(Map);
    assert_eq!(stored(store).await?, "1 map");
    Ok(())
}

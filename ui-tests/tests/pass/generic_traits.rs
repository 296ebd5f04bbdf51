//! Type and const parameters, defaults, bounds and where clauses.

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};

pub trait Data: Serialize + DeserializeOwned + Send + Sync + 'static {}
impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Data for T {}

#[rpcx::service]
pub trait Store<K: Data, V = String, const N: usize = 2>: Debug
where
    V: Data + Clone,
{
    const LIMIT: usize = N;

    async fn get(&self, key: &K) -> rpcx::Result<Option<V>>;

    async fn put(&self, key: K, values: Vec<V>) -> rpcx::Result<()>;

    async fn first(&self, key: &K, values: &[V]) -> rpcx::Result<Option<V>> {
        let _ = key;
        Ok(values.first().cloned())
    }
}

#[derive(Debug)]
struct Map;

impl Store<u64> for Map {
    async fn get(&self, key: &u64) -> rpcx::Result<Option<String>> {
        Ok(Some(key.to_string()))
    }

    async fn put(&self, _key: u64, _values: Vec<String>) -> rpcx::Result<()> {
        Ok(())
    }
}

async fn call(client: StoreClient<u64>) -> rpcx::Result<Option<String>> {
    client.put(1, vec!["a".to_owned()]).await?;
    client.put(&1, &["a".to_owned()]).await?;
    client.first(&1, &["a".to_owned()]).await?;
    through_trait(&client).await
}

async fn through_trait(store: &impl Store<u64>) -> rpcx::Result<Option<String>> {
    store.put(1, Vec::new()).await?;
    store.get(&1).await
}

fn main() {
    let _ = call;
    let _ = rpcx::Server::new().add(StoreServer::new(Map));
    assert_eq!(<Map as Store<u64>>::LIMIT, 2);
}

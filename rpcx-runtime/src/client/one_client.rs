//! Clients of several services over one set of connections.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::builder::ClientBuilder;
use super::channel::{Channel, Client};
use super::pool::Pool;
use crate::error::{Error, Result};
use crate::service_info::ServiceInfo;

/// Clients of several services over one set of connections. Go's `OneClient`.
///
/// Each service has its own list of servers, which its registry names; servers that offer several of
/// the services are connected to once. What the builder was told holds for all of them, and a breaker or an
/// ejected server too.
///
/// ```no_run
/// use rpcx::Client as _;
/// use rpcx::client::{Channel, OneClient};
/// use rpcx::registry::MultipleServers;
/// # #[rpcx::service] trait Arith { async fn mul(&self, a: i32, b: i32) -> rpcx::Result<i32>; }
/// # #[rpcx::service] trait Greeter { async fn greet(&self, name: String) -> rpcx::Result<String>; }
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let servers = MultipleServers::new(["tcp@localhost:8972", "tcp@localhost:9981"])?;
/// let one = OneClient::new(Channel::builder().registry(servers));
/// let arith: ArithClient = one.client().await?;
/// let greeter: GreeterClient = one.client().await?;
/// assert_eq!(arith.mul(6, 7).await?, 42);
/// println!("{}", greeter.greet("Ada").await?);
/// # Ok(()) }
/// ```
pub struct OneClient {
    builder: ClientBuilder<Channel>,
    pool: Arc<Pool>,
    channels: Mutex<HashMap<String, Arc<OnceCell<Channel>>>>,
}

impl OneClient {
    /// Takes what all clients have in common. The builder's own service name, if it has one, does not count.
    pub fn new(builder: ClientBuilder<Channel>) -> Self {
        let builder = builder.without_service();
        Self { builder, pool: Arc::new(Pool::new()), channels: Mutex::default() }
    }

    /// Makes a client of the service that `C` was generated for; all clients of a service share a
    /// channel.
    ///
    /// # Errors
    ///
    /// As for [`ClientBuilder::connect`].
    pub async fn client<C: Client>(&self) -> Result<C> {
        let info = C::service_info();
        let name = info.map(ServiceInfo::name).ok_or_else(|| Error::NoServer {
            why: "a bare channel has no service: use `OneClient::channel`".to_owned(),
        })?;
        self.open(name, info).await.map(C::from_channel)
    }

    /// Makes the channel of a service by its name.
    ///
    /// Clients that are made on it call the service that they were generated for, which is the name's only
    /// if the two are the same.
    ///
    /// # Errors
    ///
    /// As for [`ClientBuilder::connect`].
    pub async fn channel(&self, service: &str) -> Result<Channel> {
        self.open(service, None).await
    }

    async fn open(&self, name: &str, info: Option<&ServiceInfo>) -> Result<Channel> {
        let place = {
            let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(channels.entry(name.to_owned()).or_default())
        };
        // Of those that come first at the same time, one follows the registry, and the others wait.
        let open = || self.builder.discover(name, info, Arc::clone(&self.pool));
        place.get_or_try_init(open).await.cloned()
    }
}

impl fmt::Debug for OneClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneClient").field("builder", &self.builder).finish_non_exhaustive()
    }
}

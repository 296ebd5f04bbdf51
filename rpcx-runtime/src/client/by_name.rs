//! Calls without a trait: by the names of a service and a method.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::call::Call;
use super::channel::Channel;
use crate::arguments::Arguments;
use crate::codec::{self, CodecError};
use crate::error::Error;
use crate::method::{Method, MethodInfo};
use crate::protocol::SerializeType;
use crate::wire::{ErrorWire, Wire};

impl Channel {
    /// Calls a method by its names, without a trait: what Go's `XClient.Call` does.
    ///
    /// What a trait's attribute would say about the method is said of it here; everything else is as for a
    /// generated client. The arguments and the reply are what serde reads and writes: no protobuf.
    ///
    /// ```
    /// use rpcx::Client as _;
    /// use rpcx::client::Channel;
    /// use rpcx::reflection::MethodInfo;
    /// # #[rpcx::service] trait Greeter { async fn greet(&self, name: String) -> rpcx::Result<String>; }
    /// # struct Polite;
    /// # impl Greeter for Polite {
    /// #     async fn greet(&self, name: String) -> rpcx::Result<String> { Ok(format!("hello {name}")) }
    /// # }
    ///
    /// static GREET: MethodInfo = MethodInfo::new("Greeter", "Greet").idempotent();
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = rpcx::Server::new().add(GreeterServer::new(Polite));
    /// # tokio::spawn(server.bind("memory@by-name").await?.serve());
    /// let channel = Channel::connect_to("memory@by-name").await?;
    /// let text: String = channel.call(&GREET, "Ada").await?;
    /// assert_eq!(text, "hello Ada");
    /// # Ok(()) }
    /// ```
    pub fn call<'a, A, R>(
        &'a self,
        method: &'static MethodInfo,
        arguments: &'a A,
    ) -> Call<'a, ByName<'a, A>, R, Error>
    where
        A: Serialize + ?Sized,
        R: DeserializeOwned + 'static,
    {
        let method = Method::new(method, Wire::nothing(), Wire::reading(), ErrorWire::new());
        Call::new(self, &method, ByName(arguments))
    }
}

/// The argument of a call [by name](Channel::call).
pub struct ByName<'a, A: ?Sized>(&'a A);

impl<A: Serialize + ?Sized> Arguments for ByName<'_, A> {
    fn encode(&self, serialize_type: SerializeType, out: &mut Vec<u8>) -> Result<(), CodecError> {
        codec::encode(serialize_type, self.0, out)
    }
}

impl<A: ?Sized> fmt::Debug for ByName<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByName").finish_non_exhaustive()
    }
}

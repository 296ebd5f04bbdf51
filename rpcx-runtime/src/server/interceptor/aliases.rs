//! Other names for services and methods, changed while the server runs.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;

use super::method_table::MethodTable;
use super::{Incoming, Interceptor, Next, Outgoing, Rejection};

/// Lets clients call services and methods by other names. Clones share the names, which can be changed
/// while the server runs.
///
/// The answer has the names that were called. A name that is also a real one leads away from it; an alias
/// of an alias is not followed. Names that are known beforehand need none of this: see `alias` in
/// [the options](crate::guide::options) and [`Server::add_as`](crate::Server::add_as).
///
/// Go's is `AliasPlugin`, whose responses have the real names in rpcx 1.9.4.
///
/// ```
/// use rpcx::server::interceptor::Aliases;
///
/// let aliases = Aliases::new();
/// aliases.add_method("Arithmetic", "Times", "Arith", "Mul");
/// aliases.add_service("Calculator", "Arith");
/// let server = rpcx::Server::new().interceptor(aliases.clone());
/// aliases.remove_service("Calculator");
/// ```
#[derive(Clone, Default)]
pub struct Aliases {
    table: Arc<ArcSwap<Table>>,
}

#[derive(Clone, Default)]
struct Table {
    methods: MethodTable<(String, String)>,
    services: HashMap<String, String>,
}

impl Aliases {
    /// Makes an empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets the method of the second pair of names be called by the first. It counts more than an alias of
    /// the service, and replaces one that is there.
    pub fn add_method(&self, service: &str, method: &str, real_service: &str, real_method: &str) {
        self.change(|table| {
            let real = (real_service.to_owned(), real_method.to_owned());
            table.methods.insert(service, method, real);
        });
    }

    /// Lets all methods of a service be called by another name of it. It replaces one that is there.
    pub fn add_service(&self, alias: &str, real: &str) {
        self.change(|table| {
            table.services.insert(alias.to_owned(), real.to_owned());
        });
    }

    /// Takes an alias of a method back; calls that are under way go on.
    pub fn remove_method(&self, service: &str, method: &str) {
        self.change(|table| {
            table.methods.remove(service, method);
        });
    }

    /// Takes an alias of a service back; calls that are under way go on.
    pub fn remove_service(&self, alias: &str) {
        self.change(|table| {
            table.services.remove(alias);
        });
    }

    fn change(&self, change: impl Fn(&mut Table)) {
        self.table.rcu(|table| {
            let mut table = Table::clone(table);
            change(&mut table);
            table
        });
    }

    fn apply(&self, request: &mut Incoming) {
        let table = self.table.load();
        let (service, method) = (request.service(), request.method());
        if let Some((service, method)) = table.methods.get(service, method) {
            request.redirect(service, method);
        } else if let Some(service) = table.services.get(service) {
            let method = method.to_owned();
            request.redirect(service, method);
        }
    }
}

impl Interceptor for Aliases {
    fn call(
        &self,
        mut request: Incoming,
        next: Next<'_>,
    ) -> impl Future<Output = Result<Outgoing, Rejection>> + Send {
        self.apply(&mut request);
        next.run(request)
    }
}

impl fmt::Debug for Aliases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aliases").finish_non_exhaustive()
    }
}

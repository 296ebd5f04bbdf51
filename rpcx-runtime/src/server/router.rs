//! Which service a request is for.

use std::fmt;
use std::sync::Arc;

use crate::service::{Request, Service, Slot};
use crate::service_info::ServiceInfo;

/// The services of a server, ordered by name.
#[derive(Default)]
pub(super) struct Router {
    services: Vec<Named>,
    twice: Vec<String>,
}

/// A service and the name that it is called by.
pub(super) struct Named {
    pub(super) name: String,
    pub(super) service: Arc<dyn Service>,
}

impl Router {
    pub(super) fn add(&mut self, name: String, service: Arc<dyn Service>) {
        match self.place(name.as_bytes()) {
            Ok(_) => self.twice.push(name),
            Err(place) => self.services.insert(place, Named { name, service }),
        }
    }

    pub(super) fn services(&self) -> &[Named] {
        &self.services
    }

    /// Lists the services, each by the name that it is called by.
    pub(super) fn list(&self) -> impl Iterator<Item = (&str, &'static ServiceInfo)> {
        self.services.iter().map(|Named { name, service }| (name.as_str(), service.info()))
    }

    /// Says what a server with these services cannot do.
    pub(super) fn problems(&self) -> Vec<String> {
        let twice = self.twice.iter();
        twice.map(|name| format!("two services have the name `{name}`")).collect()
    }

    /// Lets the service start on `request`; tells whether the method asks for a task of its own.
    pub(super) fn start(&self, request: Request, slot: &mut Slot) -> bool {
        let message = request.message();
        let service = self.place(message.service_path()).ok().and_then(|at| self.services.get(at));
        let Some(Named { service, .. }) = service else {
            request.unknown_service();
            return false;
        };
        let Some(index) = service.resolve(message.service_method()) else {
            request.unknown_method();
            return false;
        };
        let spawn =
            service.methods().get(usize::from(index)).is_some_and(|info| info.wants_spawn());
        Arc::clone(service).start(index, request, slot);
        spawn
    }

    fn place(&self, name: &[u8]) -> Result<usize, usize> {
        self.services.binary_search_by(|service| service.name.as_bytes().cmp(name))
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.services.iter().map(|service| &service.name)).finish()
    }
}

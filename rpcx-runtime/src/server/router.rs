//! Which service a request is for.

use std::fmt;
use std::sync::Arc;

use super::route::Route;
use crate::protocol::Message;
use crate::service::{Request, Service, Slot};
use crate::service_info::ServiceInfo;

/// The services of a server and its functions, each ordered by name.
#[derive(Default)]
pub(super) struct Router {
    services: Vec<Named>,
    routes: Vec<Route>,
    problems: Vec<String>,
}

/// A service and the name that it is called by.
pub(super) struct Named {
    pub(super) name: String,
    pub(super) service: Arc<dyn Service>,
}

/// What a request is for.
#[derive(Clone, Copy)]
enum Place<'a> {
    /// A method of a service, by its index.
    Method(&'a Named, u16),
    /// A function.
    Route(&'a Route),
    NoService,
    NoMethod,
}

impl Router {
    pub(super) fn add(&mut self, name: String, service: Arc<dyn Service>) {
        match self.place(name.as_bytes()) {
            Ok(_) => self.problems.push(format!("two services have the name `{name}`")),
            Err(place) => self.services.insert(place, Named { name, service }),
        }
    }

    pub(super) fn add_route(&mut self, route: Route) {
        match self.route_place(route.service.as_bytes(), route.method.as_bytes()) {
            Ok(_) => self.problems.push(format!("two functions have the name `{route}`")),
            Err(place) => self.routes.insert(place, route),
        }
    }

    pub(super) fn services(&self) -> &[Named] {
        &self.services
    }

    /// Lists the services that have functions and nothing else.
    pub(super) fn services_of_functions(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.routes.iter().map(|route| &*route.service).collect();
        names.dedup();
        names.retain(|name| self.place(name.as_bytes()).is_err());
        names
    }

    /// Lists the services, each by the name that it is called by.
    pub(super) fn list(&self) -> impl Iterator<Item = (&str, &'static ServiceInfo)> {
        self.services.iter().map(|Named { name, service }| (name.as_str(), service.info()))
    }

    /// Says what a server with these services cannot do.
    pub(super) fn problems(&self) -> Vec<String> {
        let hidden = self.routes.iter().filter(|route| {
            let found = self.find(route.service.as_bytes(), route.method.as_bytes());
            matches!(found, Place::Method(..))
        });
        let hidden =
            hidden.map(|route| format!("a service has a method of the name `{route}` already"));
        self.problems.iter().cloned().chain(hidden).collect()
    }

    /// Lets the service start on `request`; tells whether the method asks for a task of its own.
    pub(super) fn start(&self, request: Request, slot: &mut Slot) -> bool {
        let message = request.message();
        self.find(message.service_path(), message.service_method()).start(request, slot)
    }

    /// Lets the service of other names than the message's start on `request`.
    pub(super) fn start_as(
        &self,
        (service, method): (&str, &str),
        request: Request,
        slot: &mut Slot,
    ) -> bool {
        self.find(service.as_bytes(), method.as_bytes()).start(request, slot)
    }

    /// Tells whether the method that a message is for asks for a task of its own.
    pub(super) fn wants_spawn(&self, message: &Message) -> bool {
        self.find(message.service_path(), message.service_method()).wants_spawn()
    }

    /// Gives the names that a method is declared by; `None` if there is no such method.
    pub(super) fn names(&self, service: &[u8], method: &[u8]) -> Option<(&str, &str)> {
        match self.find(service, method) {
            Place::Method(named, index) => {
                let info = named.service.methods().get(usize::from(index))?;
                Some((&named.name, info.name()))
            }
            Place::Route(route) => Some((&route.service, &route.method)),
            Place::NoService | Place::NoMethod => None,
        }
    }

    fn find(&self, service: &[u8], method: &[u8]) -> Place<'_> {
        let named = self.place(service).ok().and_then(|at| self.services.get(at));
        let found = named.and_then(|named| Some((named, named.service.resolve(method)?)));
        match found {
            Some((named, index)) => Place::Method(named, index),
            None => self.find_route(service, method, named.is_some()),
        }
    }

    fn find_route(&self, service: &[u8], method: &[u8], known: bool) -> Place<'_> {
        match self.route_place(service, method).map(|at| self.routes.get(at)) {
            Ok(Some(route)) => Place::Route(route),
            _ if known || self.has_routes_of(service) => Place::NoMethod,
            _ => Place::NoService,
        }
    }

    fn has_routes_of(&self, service: &[u8]) -> bool {
        // An empty method name is less than any other.
        let first = self.route_place(service, b"").unwrap_or_else(|place| place);
        self.routes.get(first).is_some_and(|route| route.service.as_bytes() == service)
    }

    fn route_place(&self, service: &[u8], method: &[u8]) -> Result<usize, usize> {
        self.routes.binary_search_by(|route| {
            (route.service.as_bytes(), route.method.as_bytes()).cmp(&(service, method))
        })
    }

    fn place(&self, name: &[u8]) -> Result<usize, usize> {
        self.services.binary_search_by(|service| service.name.as_bytes().cmp(name))
    }
}

impl Place<'_> {
    fn start(self, request: Request, slot: &mut Slot) -> bool {
        match self {
            Self::Method(Named { service, .. }, index) => {
                Arc::clone(service).start(index, request, slot);
            }
            Self::Route(route) => (route.start)(request, slot),
            Self::NoService => request.unknown_service(),
            Self::NoMethod => request.unknown_method(),
        }
        self.wants_spawn()
    }

    fn wants_spawn(self) -> bool {
        let Self::Method(Named { service, .. }, index) = self else { return false };
        service.methods().get(usize::from(index)).is_some_and(|info| info.wants_spawn())
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let services = self.services.iter().map(|service| &service.name);
        let routes = self.routes.iter().map(ToString::to_string);
        f.debug_set().entries(services).entries(routes).finish()
    }
}

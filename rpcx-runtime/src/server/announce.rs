//! What a server writes into registries, from the first call it can take to the last.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::join_all;
use tokio::sync::watch;

use super::load::LoadCounter;
use super::router::Router;
use crate::address::{Address, Network};
use crate::instance::{Instance, InstanceMetadata};
use crate::registry::environment::{self, Choice};
use crate::registry::settings::check_service;
use crate::registry::shared;
use crate::registry::{Announcement, Registration, RegistrationState, Registry, SettingsError};
use crate::registry_info::RegistryInfo;

/// What the builder was told about registries.
#[derive(Clone, Debug, Default)]
pub(super) struct RegistrySettings {
    /// `None`: what the environment or the services' attributes say.
    pub(super) registries: Option<Vec<Arc<dyn Registry>>>,
    pub(super) service_address: Option<Address>,
    pub(super) metadata: InstanceMetadata,
}

/// The entries that a server will write, one for each service in each of its registries.
#[derive(Debug, Default)]
pub(super) struct Plan {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    service: String,
    registry: Arc<dyn Registry>,
    instance: Instance,
}

impl Plan {
    /// Works out who is told what; everything that is wrong goes to `problems`.
    pub(super) fn new(
        router: &Router,
        settings: &RegistrySettings,
        local: &Address,
        problems: &mut Vec<String>,
    ) -> Self {
        plan(router, settings, local, |error| {
            let problem = error.to_string();
            // Services that say the same make the same mistake.
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        })
    }

    /// Writes the entries.
    pub(super) fn register(self, counter: &Arc<LoadCounter>, known: &Registrations) -> Announced {
        let registrations: Vec<_> = self
            .entries
            .into_iter()
            .map(|entry| {
                let counter = Arc::clone(counter);
                let announcement =
                    Announcement::new(entry.instance).with_load(move || counter.load());
                let registration = entry.registry.register(&entry.service, announcement);
                (entry.service, registration, entry.registry)
            })
            .collect();
        let states =
            registrations.iter().map(|(service, entry, _)| (service.clone(), entry.watch()));
        known.fill(states.collect());
        Announced(registrations)
    }
}

fn plan(
    router: &Router,
    settings: &RegistrySettings,
    local: &Address,
    mut report: impl FnMut(SettingsError),
) -> Plan {
    let told = settings.registries.clone().or_else(|| match environment::registry() {
        Ok(Choice::Unset) => None,
        Ok(Choice::None) => Some(Vec::new()),
        Ok(Choice::Registry(registry)) => Some(vec![registry]),
        Err(error) => {
            report(error);
            Some(Vec::new())
        }
    });
    let address = match &settings.service_address {
        Some(address) => address.clone(),
        None => {
            let told = environment::service_address().unwrap_or_else(|error| {
                report(error);
                None
            });
            told.unwrap_or_else(|| reachable(local))
        }
    };
    let mut plan = Plan::default();
    let traits = router.services().iter();
    let traits = traits.map(|named| (&*named.name, named.service.info().given_registry()));
    let functions = router.services_of_functions().into_iter().map(|name| (name, None));
    for (service, info) in traits.chain(functions) {
        let registries = match (&told, info) {
            (Some(told), _) => told.clone(),
            (None, None) => Vec::new(),
            (None, Some(info)) => shared::of(info).map_or_else(
                |error| {
                    report(error);
                    Vec::new()
                },
                |registry| vec![registry],
            ),
        };
        if registries.is_empty() {
            continue;
        }
        if let Err(error) = check_service(service) {
            report(error);
            continue;
        }
        let mut metadata = info.map(RegistryInfo::metadata).unwrap_or_default();
        for (key, value) in settings.metadata.iter() {
            metadata.set(key, value);
        }
        let instance = Instance::new(address.clone()).with_metadata(metadata);
        plan.entries.extend(registries.into_iter().map(|registry| Entry {
            service: service.to_owned(),
            registry,
            instance: instance.clone(),
        }));
    }
    plan
}

/// The entries that are written.
pub(super) struct Announced(Vec<(String, Registration, Arc<dyn Registry>)>);

impl Announced {
    /// Tells whether clients may still know of the server for a while when the entries are out.
    pub(super) fn is_seen_late(&self) -> bool {
        self.0.iter().any(|(_, registration, _)| registration.is_seen_late())
    }

    /// Takes the entries out, all at once. That goes on, for as long as a registration may take, also if
    /// nobody waits for it any more.
    pub(super) async fn withdraw(self) {
        if self.0.is_empty() {
            return;
        }
        let withdrawn =
            join_all(self.0.into_iter().map(|(_, registration, _)| registration.withdraw()));
        // One that panics is not to keep the server from an orderly end.
        let _ = tokio::spawn(withdrawn).await;
    }
}

/// How a server's entries in registries stand; clones look at the same.
///
/// Empty until the server serves, and for a server without a registry.
#[derive(Clone, Debug, Default)]
pub struct Registrations {
    states: Arc<Mutex<Vec<State>>>,
}

type State = (String, watch::Receiver<RegistrationState>);

impl Registrations {
    fn fill(&self, states: Vec<State>) {
        *self.states.lock().unwrap_or_else(PoisonError::into_inner) = states;
    }

    /// Lists the services and how the entry of each stands, in each of its registries in the order in which
    /// the server was given them.
    pub fn list(&self) -> Vec<(String, RegistrationState)> {
        let states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        states.iter().map(|(service, state)| (service.clone(), state.borrow().clone())).collect()
    }

    /// Follows the entry of a service; with several registries, that in the first.
    pub fn watch(&self, service: &str) -> Option<watch::Receiver<RegistrationState>> {
        let states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        states.iter().find(|(name, _)| name == service).map(|(_, state)| state.clone())
    }

    /// Follows the entries of a service in all of its registries, in the order in which the server was given
    /// them.
    pub fn watch_each(&self, service: &str) -> Vec<watch::Receiver<RegistrationState>> {
        let states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        let own = states.iter().filter(|(name, _)| name == service);
        own.map(|(_, state)| state.clone()).collect()
    }
}

/// Gives an address that others can use in place of one that means "all interfaces".
fn reachable(local: &Address) -> Address {
    let socket = match local.network() {
        Network::Tcp => local.target().parse::<SocketAddr>().ok(),
        Network::Unix | Network::Memory => None,
    };
    let Some(socket) = socket.filter(|socket| socket.ip().is_unspecified()) else {
        return local.clone();
    };
    let outside = SocketAddr::new(interface(), socket.port());
    Address::new(Network::Tcp, &outside.to_string()).unwrap_or_else(|_| local.clone())
}

/// Gives the address of an interface that others may reach.
fn interface() -> IpAddr {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let mut usable = interfaces.iter().filter(|interface| !interface.is_loopback());
    let found = usable.find(|interface| interface.ip().is_ipv4()).map(if_addrs::Interface::ip);
    found.unwrap_or_else(|| {
        tracing::warn!("no interface to announce: others are told 127.0.0.1");
        IpAddr::V4(Ipv4Addr::LOCALHOST)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_address_for_all_interfaces_is_replaced() {
        for text in ["tcp@127.0.0.1:80", "unix@/run/a.sock", "memory@a"] {
            let address: Address = text.parse().unwrap();
            assert_eq!(reachable(&address), address);
        }
        for text in ["tcp@0.0.0.0:80", "tcp@[::]:80"] {
            let outside = reachable(&text.parse().unwrap());
            let socket: SocketAddr = outside.target().parse().unwrap();
            assert!(!socket.ip().is_unspecified());
            assert_eq!(socket.port(), 80);
        }
    }
}

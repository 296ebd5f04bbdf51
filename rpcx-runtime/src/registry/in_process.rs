//! The servers of this process.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::registration::Withdraw;
use super::{Announcement, Discover, Register, Registration, RegistrationState, Snapshot};
use crate::address::Address;
use crate::instance::Instance;

/// The servers of this process, found without any outside service. For development and tests.
///
/// All values share one table: it needs no settings. Where a server of this process also listens
/// at a `memory@` address, calls go without a socket.
#[derive(Clone, Copy, Debug, Default)]
pub struct InProcess;

type Table = HashMap<String, watch::Sender<Snapshot>>;

fn table() -> MutexGuard<'static, Table> {
    static TABLE: LazyLock<Mutex<Table>> = LazyLock::new(Mutex::default);
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl InProcess {
    /// Gives the registry of this process.
    pub const fn new() -> Self {
        Self
    }
}

impl Discover for InProcess {
    fn discover(&self, service: &str) -> watch::Receiver<Snapshot> {
        entry(&mut table(), service).subscribe()
    }
}

impl Register for InProcess {
    fn register(&self, service: &str, announcement: Announcement) -> Registration {
        let instance = announcement.instance().clone();
        let address = instance.address().clone();
        edit(service, |instances| {
            instances.retain(|known| known.address() != instance.address());
            instances.push(instance);
        });
        let (_, state) = watch::channel(RegistrationState::Registered);
        Registration::new(state, Entry { service: service.to_owned(), address })
    }
}

/// An entry that can be taken out.
struct Entry {
    service: String,
    address: Address,
}

impl Withdraw for Entry {
    fn withdraw(self: Box<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.abandon();
        Box::pin(std::future::ready(()))
    }

    fn abandon(&self) {
        edit(&self.service, |instances| {
            instances.retain(|known| *known.address() != self.address);
        });
    }

    fn is_seen_late(&self) -> bool {
        false
    }
}

fn entry<'a>(table: &'a mut Table, service: &str) -> &'a watch::Sender<Snapshot> {
    let none = || watch::Sender::new(Snapshot::live([]));
    table.entry(service.to_owned()).or_insert_with(none)
}

fn edit(service: &str, change: impl FnOnce(&mut Vec<Instance>)) {
    entry(&mut table(), service).send_modify(|snapshot| {
        let mut instances = snapshot.instances().to_vec();
        change(&mut instances);
        *snapshot = Snapshot::live(instances);
    });
}

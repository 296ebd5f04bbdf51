use std::sync::atomic::{AtomicBool, Ordering};

use tracing::Level;

use super::*;
use crate::address::Address;
use crate::instance::Instance;
use crate::registry::backend::{Connection, Lease};
use crate::registry::events::Events;
use crate::registry::settings::{Settings, SettingsError};
use crate::registry::{Reach, RegistrationState};

/// A registry that is there or not.
#[derive(Clone, Debug)]
struct Switched {
    settings: Settings,
    switch: Arc<Switch>,
}

#[derive(Debug, Default)]
struct Switch {
    on: AtomicBool,
    changed: tokio::sync::Notify,
}

impl Switch {
    fn turn(&self, on: bool) {
        self.on.store(on, Ordering::SeqCst);
        self.changed.notify_waiters();
    }

    fn ask(&self) -> Result<(), BackendError> {
        if self.on.load(Ordering::SeqCst) { Ok(()) } else { Err("nobody is there".into()) }
    }

    async fn off(&self) -> BackendError {
        loop {
            let changed = self.changed.notified();
            if let Err(error) = self.ask() {
                return error;
            }
            changed.await;
        }
    }
}

impl Backend for Switched {
    type Connection = Arc<Switch>;

    const NAME: &'static str = "switched";

    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn ttl(&self) -> Result<Duration, SettingsError> {
        Ok(Duration::from_secs(10))
    }

    async fn connect(&self) -> Result<Arc<Switch>, BackendError> {
        self.switch.ask().map(|()| Arc::clone(&self.switch))
    }
}

impl Connection for Arc<Switch> {
    type Lease = Self;

    async fn lease(&self) -> Result<Self, BackendError> {
        self.ask().map(|()| Self::clone(self))
    }

    async fn watch(&self, _: &str, mut publish: impl FnMut(Vec<Instance>) + Send) -> BackendError {
        publish(vec![Instance::new(address())]);
        self.off().await
    }
}

impl Lease for Arc<Switch> {
    async fn put(&self, _: &str, _: &Address, _: &str) -> Result<(), BackendError> {
        self.ask()
    }

    async fn update(
        &self,
        _: &str,
        _: &Address,
        _: impl Fn(Option<&str>) -> String + Send + Sync,
    ) -> Result<(), BackendError> {
        self.ask()
    }

    async fn remove(&self, _: &str, _: &Address) -> Result<(), BackendError> {
        self.ask()
    }

    async fn keep_alive(&self) -> Result<(), BackendError> {
        self.ask()
    }

    async fn lost(&self) -> BackendError {
        self.off().await
    }

    async fn end(self) {}
}

fn address() -> Address {
    "tcp@127.0.0.1:8972".parse().expect("an address")
}

fn supervised(on: bool) -> (Supervisor<Switched>, Arc<Switch>) {
    let switch = Arc::<Switch>::default();
    switch.turn(on);
    let settings = Settings::new(["127.0.0.1:1"]);
    (Supervisor::new(Switched { settings, switch: Arc::clone(&switch) }), switch)
}

fn announcement() -> Announcement {
    Announcement::new(Instance::new(address()))
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_is_written_again_is_told_once() {
    let events = Events::of_this_thread();
    let (supervisor, switch) = supervised(true);
    let entry = supervisor.register("Arith", announcement());
    let mut state = entry.watch();
    state.wait_for(|state| matches!(state, RegistrationState::Registered)).await.unwrap();
    assert_eq!(events.take(Level::INFO), Vec::<String>::new());
    for _ in 0..2 {
        switch.turn(false);
        state.wait_for(|state| matches!(state, RegistrationState::Lost { .. })).await.unwrap();
        switch.turn(true);
        state.wait_for(|state| matches!(state, RegistrationState::Registered)).await.unwrap();
        assert_eq!(events.take(Level::INFO), ["the service is registered after all"]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_is_written_late_is_told_too() {
    let events = Events::of_this_thread();
    let (supervisor, switch) = supervised(false);
    let entry = supervisor.register("Arith", announcement());
    let mut state = entry.watch();
    let trouble =
        |state: &RegistrationState| matches!(state, RegistrationState::Pending { error: Some(_) });
    state.wait_for(trouble).await.unwrap();
    switch.turn(true);
    state.wait_for(|state| matches!(state, RegistrationState::Registered)).await.unwrap();
    assert_eq!(events.take(Level::INFO), ["the service is registered after all"]);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_current_again_is_told() {
    let events = Events::of_this_thread();
    let (supervisor, switch) = supervised(true);
    let mut list = supervisor.discover("Arith");
    list.wait_for(|list| matches!(list.reach(), Reach::Live)).await.unwrap();
    assert_eq!(events.take(Level::INFO), Vec::<String>::new());
    switch.turn(false);
    list.wait_for(|list| matches!(list.reach(), Reach::Lost { .. })).await.unwrap();
    assert_eq!(events.take(Level::WARN), ["the list may be out of date"]);
    switch.turn(true);
    list.wait_for(|list| matches!(list.reach(), Reach::Live)).await.unwrap();
    tokio::task::yield_now().await;
    assert_eq!(events.take(Level::INFO), ["the list is current again"]);
}

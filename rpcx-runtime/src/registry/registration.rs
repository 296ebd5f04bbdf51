//! One server's entry in a registry, as long as it is to be there.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::SettingsError;

/// One server's entry in a registry.
///
/// The entry is kept alive in the background. Dropping this takes it out without waiting for the
/// registry; [`withdraw`](Self::withdraw) waits.
#[must_use = "dropping a registration takes the entry out"]
pub struct Registration {
    state: watch::Receiver<RegistrationState>,
    withdraw: Option<Box<dyn Withdraw>>,
}

/// How an entry stands.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RegistrationState {
    /// The entry is not there yet.
    Pending {
        /// What went wrong last, if anything did.
        error: Option<Arc<str>>,
    },
    /// The entry is there.
    Registered,
    /// The entry was there and may be gone; it is written again as soon as the registry answers.
    Lost {
        /// Since when.
        since: Instant,
        /// What went wrong last.
        error: Arc<str>,
    },
    /// The registry will not take the entry: its settings are wrong. Nothing more is tried.
    Refused {
        /// Why.
        error: Arc<str>,
    },
}

/// Takes an entry out.
pub(crate) trait Withdraw: Send + Sync {
    /// Takes the entry out and waits until it is gone, or until that cannot be had.
    fn withdraw(self: Box<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>>;

    /// Takes the entry out without waiting.
    fn abandon(&self);

    /// Tells whether clients may learn only later that the entry is gone.
    fn is_seen_late(&self) -> bool {
        true
    }
}

impl Registration {
    pub(crate) fn new(
        state: watch::Receiver<RegistrationState>,
        withdraw: impl Withdraw + 'static,
    ) -> Self {
        Self { state, withdraw: Some(Box::new(withdraw)) }
    }

    /// Makes the registration of a registry of your own.
    ///
    /// `state` tells how the entry stands. `withdraw` takes the entry out: it is awaited when the
    /// registration is withdrawn, for at most 2 s, and runs in a task of its own when the
    /// registration is dropped.
    pub fn with_withdraw<F>(
        state: watch::Receiver<RegistrationState>,
        withdraw: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::new(state, Closure(withdraw))
    }

    /// Makes a registration that the registry will never have.
    pub(crate) fn refused(error: &str) -> Self {
        let (_, state) = watch::channel(RegistrationState::Refused { error: error.into() });
        Self { state, withdraw: None }
    }

    /// Makes a registration of which nothing is to be taken out: for registries that are lists.
    pub(crate) fn nowhere() -> Self {
        let (_, state) = watch::channel(RegistrationState::Registered);
        Self { state, withdraw: None }
    }

    /// Gives how the entry stands.
    pub fn state(&self) -> RegistrationState {
        self.state.borrow().clone()
    }

    /// Follows how the entry stands.
    pub fn watch(&self) -> watch::Receiver<RegistrationState> {
        self.state.clone()
    }

    /// Waits until the entry is there; an error if the registry refuses it.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] with the registry's reason, if it will not take the entry.
    pub async fn registered(&self) -> Result<(), SettingsError> {
        let mut state = self.state.clone();
        let settled = state.wait_for(|state| {
            matches!(state, RegistrationState::Registered | RegistrationState::Refused { .. })
        });
        match settled.await.as_deref() {
            Ok(RegistrationState::Refused { error }) => Err(SettingsError(error.to_string())),
            Ok(_) => Ok(()),
            Err(_) => Err(SettingsError("the registry's task has ended".to_owned())),
        }
    }

    /// Tells whether clients may know of the entry, and learn only later that it is gone.
    pub(crate) fn is_seen_late(&self) -> bool {
        let state = self.state.borrow();
        let is_there =
            matches!(*state, RegistrationState::Registered | RegistrationState::Lost { .. });
        is_there && self.withdraw.as_ref().is_some_and(|withdraw| withdraw.is_seen_late())
    }

    /// Takes the entry out, and waits at most 2 s for the registry to say so.
    pub async fn withdraw(mut self) {
        if let Some(withdraw) = self.withdraw.take() {
            withdraw.withdraw().await;
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        if let Some(withdraw) = &self.withdraw {
            withdraw.abandon();
        }
    }
}

/// What takes the entry of a user's own registry out.
struct Closure<W>(W);

impl<W, F> Withdraw for Closure<W>
where
    W: Fn() -> F + Send + Sync,
    F: Future<Output = ()> + Send + 'static,
{
    fn withdraw(self: Box<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let withdrawn = (self.0)();
        Box::pin(async move {
            let _ = tokio::time::timeout(OWN_WITHDRAW, withdrawn).await;
        })
    }

    fn abandon(&self) {
        let withdrawn = (self.0)();
        // Without a runtime there is nobody to wait for an answer either.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(withdrawn);
        }
    }
}

/// How long taking an entry out of a user's own registry is waited for.
const OWN_WITHDRAW: Duration = Duration::from_secs(2);

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").field("state", &*self.state.borrow()).finish_non_exhaustive()
    }
}

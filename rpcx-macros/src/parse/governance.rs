//! What a trait and its methods say about servers that fail or are slow.

use proc_macro2::{Ident, Span};

use crate::{
    attr::{Key, Options},
    ctxt::Ctxt,
    model::Governance,
    names::Case,
};

/// Reads what the options of a trait or of a method say.
pub(super) fn governance(options: &Options) -> Governance {
    Governance {
        timeout: options.duration(Key::Timeout),
        attempt_timeout: options.duration(Key::AttemptTimeout),
        fail_mode: variant(options, Key::FailMode),
        retries: options.int(Key::Retries),
        retry: variant(options, Key::Retry),
        retry_interval: options.duration(Key::RetryInterval),
        backup_latency: options.duration(Key::BackupLatency),
    }
}

/// The variant of the runtime's enum that a word stands for: `round_robin` is `RoundRobin`.
pub(super) fn variant(options: &Options, key: Key) -> Option<Ident> {
    let word = options.text(key)?.value();
    Some(Ident::new(&Case::Pascal.apply(&word), Span::call_site()))
}

/// Checks what a method itself says about a second server that is called while the first may be
/// at work.
///
/// What the trait says is for those of its methods that it suits, so it is not looked at here.
pub(super) fn backup(options: &Options, method: &Ident, ctxt: &Ctxt) {
    let mode = options.text(Key::FailMode).filter(|mode| mode.value() == "failbackup");
    if options.flag(Key::Oneway) {
        let why = "nobody waits for a reply that a second server could give sooner";
        if let Some(mode) = mode {
            ctxt.on(mode, format_args!("a one-way method cannot be \"failbackup\": {why}"));
        } else if let Some(latency) = options.get(Key::BackupLatency) {
            let name = &latency.name;
            ctxt.on(name, format_args!("`{name}` has no effect on a one-way method: {why}"));
        }
        return;
    }
    let known = options.flag(Key::Idempotent) || options.is_unclear(Key::Idempotent);
    if let Some(mode) = mode.filter(|_| !known) {
        ctxt.on(
            mode,
            format_args!(
                "\"failbackup\" may run `{method}` at two servers: add `idempotent` if that does \
                 no harm, or take another fail mode"
            ),
        );
    }
}

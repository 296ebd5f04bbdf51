//! Collects the mistakes of one expansion, so that a user sees all of them at once.

use std::{cell::RefCell, fmt::Display, thread};

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// The mistakes found so far.
///
/// It has to be consumed with [`Ctxt::finish`]: a collector that is dropped would hide mistakes.
pub(crate) struct Ctxt {
    errors: RefCell<Option<Vec<syn::Error>>>,
}

impl Ctxt {
    pub(crate) fn new() -> Self {
        Self { errors: RefCell::new(Some(Vec::new())) }
    }

    /// Notes a mistake at a span.
    pub(crate) fn at(&self, span: Span, message: impl Display) {
        self.push(syn::Error::new(span, message));
    }

    /// Notes a mistake that underlines all of `tokens`.
    pub(crate) fn on(&self, tokens: impl ToTokens, message: impl Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    /// Notes a mistake and the place it contradicts: a macro on stable Rust cannot attach notes,
    /// so the second place is an error of its own.
    pub(crate) fn pair(
        &self,
        tokens: impl ToTokens,
        message: impl Display,
        other: impl ToTokens,
        note: impl Display,
    ) {
        self.on(tokens, message);
        self.on(other, note);
    }

    pub(crate) fn push(&self, error: syn::Error) {
        self.errors.borrow_mut().as_mut().expect("errors are pushed before `finish`").push(error);
    }

    /// How many mistakes there are, for "did this step find one?".
    pub(crate) fn len(&self) -> usize {
        self.errors.borrow().as_ref().map_or(0, Vec::len)
    }

    /// The mistakes in words.
    #[cfg(test)]
    pub(crate) fn messages(self) -> Vec<String> {
        let errors = self.errors.take().unwrap_or_default();
        errors.iter().map(ToString::to_string).collect()
    }

    /// The mistakes as `compile_error!` calls, in the order they were found.
    pub(crate) fn finish(self) -> TokenStream {
        let errors = self.errors.take().unwrap_or_default();
        errors.iter().map(syn::Error::to_compile_error).collect()
    }
}

impl Drop for Ctxt {
    fn drop(&mut self) {
        assert!(
            thread::panicking() || self.errors.borrow().is_none(),
            "mistakes were collected and not shown"
        );
    }
}

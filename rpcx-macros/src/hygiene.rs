//! Where generated names resolve and where errors about them are shown.
//!
//! Generated code has to work among whatever the user has in scope: it names everything by
//! absolute path, and its own variables are invisible to the user's tokens.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};

/// The path of the runtime crate as generated code writes it: `::rpcx`, or what `crate = …` says.
#[derive(Clone)]
pub(crate) struct CratePath(TokenStream);

impl Default for CratePath {
    fn default() -> Self {
        Self(quote!(::rpcx))
    }
}

impl CratePath {
    pub(crate) fn new(path: TokenStream) -> Self {
        Self(path)
    }

    /// The module that holds all that generated code may name.
    pub(crate) fn private(&self) -> TokenStream {
        let path = &self.0;
        quote!(#path::__private)
    }

    /// The same, with errors about it shown at `span`.
    pub(crate) fn private_at(&self, span: Span) -> TokenStream {
        respan(self.private(), span)
    }
}

impl ToTokens for CratePath {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.0.clone());
    }
}

/// A name of generated code, shown at a place of the user's.
pub(crate) fn at(span: Span) -> Span {
    Span::call_site().located_at(span)
}

/// A variable that the user's tokens can neither see nor shadow.
pub(crate) fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// Variables for so many arguments.
pub(crate) fn arguments(count: usize) -> Vec<Ident> {
    (0..count).map(|number| local(&format!("argument{number}"))).collect()
}

/// Moves tokens to a place of the user's; what they resolve to stays.
pub(crate) fn respan(tokens: TokenStream, span: Span) -> TokenStream {
    tokens.into_iter().map(|token| respan_token(token, span)).collect()
}

fn respan_token(mut token: TokenTree, span: Span) -> TokenTree {
    if let TokenTree::Group(group) = &token {
        let mut moved = Group::new(group.delimiter(), respan(group.stream(), span));
        moved.set_span(group.span().located_at(span));
        return TokenTree::Group(moved);
    }
    token.set_span(token.span().located_at(span));
    token
}

/// Whether any token, however deep, is of a kind.
pub(crate) fn any(tokens: TokenStream, kind: &impl Fn(TokenTree) -> bool) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => any(group.stream(), kind),
        token => kind(token),
    })
}

/// The first and the last place of some tokens: rustc underlines from one to the other.
#[derive(Clone, Copy)]
pub(crate) struct Ends {
    pub(crate) first: Span,
    pub(crate) last: Span,
}

impl Ends {
    pub(crate) fn of(tokens: impl ToTokens) -> Self {
        let mut tokens = tokens.into_token_stream().into_iter();
        let Some(first) = tokens.next() else {
            return Self { first: Span::call_site(), last: Span::call_site() };
        };
        let last = tokens.last().as_ref().map_or_else(|| close(&first), close);
        Self { first: at(open(&first)), last: at(last) }
    }
}

fn open(token: &TokenTree) -> Span {
    match token {
        // An invisible group comes from a macro variable; its own place is the variable's use.
        TokenTree::Group(group) if group.delimiter() == proc_macro2::Delimiter::None => {
            group.stream().into_iter().next().map_or(group.span(), |token| open(&token))
        }
        TokenTree::Group(group) => group.span_open(),
        token => token.span(),
    }
}

fn close(token: &TokenTree) -> Span {
    match token {
        TokenTree::Group(group) if group.delimiter() == proc_macro2::Delimiter::None => {
            group.stream().into_iter().last().map_or(group.span(), |token| close(&token))
        }
        TokenTree::Group(group) => group.span_close(),
        token => token.span(),
    }
}

//! The reader of `#[rpcx(...)]`.
//!
//! It is lenient: it cuts the tokens at top-level commas first, so that a broken option never
//! hides the ones after it.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use syn::{Attribute, Meta};

use super::{
    Given, MOVED, Options,
    table::{self, Kind, Level, Row},
    value::{self, Value},
};
use crate::{ctxt::Ctxt, suggest};

/// Reads the options of one item: those in `inline`, then those of its attributes.
pub(crate) fn read(
    inline: TokenStream,
    attributes: &[Attribute],
    level: Level,
    ctxt: &Ctxt,
) -> Options {
    let mut reader = Reader { level, ctxt, options: Options::default() };
    reader.options(inline);
    for attribute in attributes {
        match &attribute.meta {
            Meta::List(list) if matches!(list.delimiter, syn::MacroDelimiter::Paren(_)) => {
                reader.options(list.tokens.clone());
            }
            _ => ctxt.on(
                attribute.path(),
                format_args!("expected options in parentheses: `{}`", level.usage()),
            ),
        }
    }
    reader.options
}

/// The name of the first option, which is where an error about all of them is shown.
pub(crate) fn first_name(options: &TokenStream) -> Option<TokenTree> {
    let mut tokens = options.clone().into_iter().peekable();
    if matches!(tokens.peek(), Some(TokenTree::Ident(word)) if word == MOVED) {
        tokens.next();
        tokens.next();
    }
    tokens.next()
}

struct Reader<'a> {
    level: Level,
    ctxt: &'a Ctxt,
    options: Options,
}

impl Reader<'_> {
    fn options(&mut self, tokens: TokenStream) {
        let tokens = flat(tokens);
        for chunk in tokens.split(|token| is_punct(token, ',')) {
            let mut rest = chunk;
            while !rest.is_empty() {
                rest = self.option(rest);
            }
        }
    }

    /// Reads one option and gives back what follows it before the next comma.
    fn option<'t>(&mut self, tokens: &'t [TokenTree]) -> &'t [TokenTree] {
        let (first, rest) = tokens.split_first().expect("called with at least one token");
        let TokenTree::Ident(name) = first else {
            self.ctxt.on(first, "expected the name of an option");
            return &[];
        };
        if name == MOVED {
            return &[];
        }
        let (equals, value, rest) = match rest {
            [equals, rest @ ..] if is_punct(equals, '=') => {
                let (value, rest) = rest.split_at(value_length(rest));
                (Some(equals), value, rest)
            }
            [TokenTree::Group(_), after @ ..] => (None, &rest[..1], after),
            _ => (None, &[][..], rest),
        };
        self.given(name, equals, value);
        self.separator(rest)
    }

    fn given(&mut self, name: &Ident, equals: Option<&TokenTree>, value: &[TokenTree]) {
        let text = name.to_string();
        let Some(row) = table::row(&text) else {
            return self.unknown(name, &text);
        };
        if !row.on(self.level) {
            let (places, level) = (row.places(), self.level.noun());
            return self
                .ctxt
                .on(name, format_args!("`{text}` is an option of {places}, not of {level}"));
        }
        if let Some(first) = self.options.get(row.key) {
            return self.ctxt.pair(
                name,
                format_args!("`{text}` is given twice"),
                &first.name,
                format_args!("`{text}` is first given here"),
            );
        }
        let value = self.value(row, name, equals, value);
        self.options.push(Given { key: row.key, name: name.clone(), value });
    }

    fn value(
        &self,
        row: &Row,
        name: &Ident,
        equals: Option<&TokenTree>,
        value: &[TokenTree],
    ) -> Value {
        match (equals, value) {
            (Some(equals), []) => {
                self.ctxt.on(equals, format_args!("`{} =` has no value", row.name));
                Value::Wrong
            }
            (Some(_), value) => value::read(row, value, self.ctxt),
            (None, []) if matches!(row.kind, Kind::Flag) => Value::Flag(true),
            (None, []) => {
                let usage = row.usage();
                self.ctxt.on(name, format_args!("`{}` needs a value: `{usage}`", row.name));
                Value::Wrong
            }
            (None, [group, ..]) => {
                let usage = row.usage();
                self.ctxt.on(group, format_args!("`{}` takes no parentheses: `{usage}`", row.name));
                Value::Wrong
            }
        }
    }

    fn unknown(&mut self, name: &Ident, text: &str) {
        let names = || table::rows(self.level).map(|row| row.name);
        if let Some(near) = suggest::nearest(text, names()) {
            let row = table::row(near);
            self.options.meant(row.map(|row| row.key));
            return self
                .ctxt
                .on(name, format_args!("unknown option `{text}`: did you mean `{near}`?"));
        }
        let (noun, list) = (self.level.noun(), suggest::list(names()));
        self.ctxt
            .on(name, format_args!("unknown option `{text}`: the options of {noun} are {list}"));
    }

    /// Complains about a missing comma and goes on behind it.
    fn separator<'t>(&self, rest: &'t [TokenTree]) -> &'t [TokenTree] {
        let Some(next) = rest.first() else {
            return rest;
        };
        self.ctxt.on(next, format_args!("expected `,` before `{next}`"));
        if matches!(next, TokenTree::Ident(_)) { rest } else { &[] }
    }
}

/// How many of the tokens after `=` are the value.
///
/// A name after the value is the next option, before which a comma is missing; anything else shows
/// that quotes are missing, as in `base_path = /rpcx`, and the value goes on.
fn value_length(tokens: &[TokenTree]) -> usize {
    let length = right_value_length(tokens);
    match tokens.get(length) {
        None | Some(TokenTree::Ident(_)) if length > 0 => length,
        _ => tokens.len(),
    }
}

/// The same, if the value is right.
fn right_value_length(tokens: &[TokenTree]) -> usize {
    match tokens {
        [] => 0,
        [TokenTree::Punct(minus), TokenTree::Literal(_), ..] if minus.as_char() == '-' => 2,
        [TokenTree::Literal(_) | TokenTree::Group(_), ..] => 1,
        tokens => path_length(tokens),
    }
}

/// The length of `a::b::c`: names with colons between them.
fn path_length(tokens: &[TokenTree]) -> usize {
    let mut length = 0;
    let mut after_name = false;
    for token in tokens {
        match token {
            TokenTree::Ident(_) if !after_name => after_name = true,
            TokenTree::Punct(punct) if matches!(punct.as_char(), ':' | '$') => after_name = false,
            _ => break,
        }
        length += 1;
    }
    length
}

fn is_punct(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

/// Opens invisible groups, in which `macro_rules!` variables arrive.
fn flat(tokens: TokenStream) -> Vec<TokenTree> {
    let mut flattened = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                flattened.extend(flat(group.stream()));
            }
            token => flattened.push(token),
        }
    }
    flattened
}

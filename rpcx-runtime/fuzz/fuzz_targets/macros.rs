//! The attributes and the derive, over tokens of any kind: they expand or complain, and never fail.
#![no_main]

#[path = "../../../rpcx-macros/src/attr/mod.rs"]
mod attr;
#[path = "../../../rpcx-macros/src/ctxt.rs"]
mod ctxt;
#[path = "../../../rpcx-macros/src/derive/mod.rs"]
mod derive;
#[path = "../../../rpcx-macros/src/entry.rs"]
mod entry;
#[path = "../../../rpcx-macros/src/expand/mod.rs"]
mod expand;
#[path = "../../../rpcx-macros/src/hygiene.rs"]
mod hygiene;
#[path = "../../../rpcx-macros/src/model.rs"]
mod model;
#[path = "../../../rpcx-macros/src/names.rs"]
mod names;
#[path = "../../../rpcx-macros/src/parse/mod.rs"]
mod parse;
#[path = "../../../rpcx-macros/src/suggest.rs"]
mod suggest;
#[path = "../../../rpcx-macros/src/validate.rs"]
mod validate;

use proc_macro2::{TokenStream, TokenTree};

libfuzzer_sys::fuzz_target!(|text: &str| {
    // The options, a line break, the item.
    let (options, item) = text.split_once('\n').unwrap_or(("", text));
    let (Ok(options), Ok(item)) = (options.parse::<TokenStream>(), item.parse::<TokenStream>())
    else {
        return;
    };
    // The compiler has a limit of its own.
    if depth(&options) > 60 || depth(&item) > 60 {
        return;
    }
    // A panic ends the fuzzer where it is, although the macros would catch it.
    entry::service(&options, &item);
    entry::options(&options, &item);
    entry::service_error(item);
});

fn depth(tokens: &TokenStream) -> usize {
    let inner = tokens.clone().into_iter().map(|token| match token {
        TokenTree::Group(group) => 1 + depth(&group.stream()),
        _ => 0,
    });
    inner.max().unwrap_or(0)
}

//! The reader of options.

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, parse_quote};

use crate::{
    attr::{self, Key, Level, Options},
    ctxt::Ctxt,
};

fn read(inline: TokenStream, attributes: &[Attribute], level: Level) -> (Options, Vec<String>) {
    let ctxt = Ctxt::new();
    let options = attr::read(inline, attributes, level, &ctxt);
    (options, ctxt.messages())
}

#[test]
fn options_of_all_places_are_merged() {
    let attributes = [parse_quote!(#[rpcx(timeout = "2s")]), parse_quote!(#[rpcx::rpcx(spawn,)])];
    let (options, errors) = read(quote!(name = "Calc"), &attributes, Level::Trait);
    assert_eq!(errors, Vec::<String>::new());
    assert_eq!(options.text(Key::Name).map(syn::LitStr::value).as_deref(), Some("Calc"));
    assert_eq!(options.duration(Key::Timeout), Some(Duration::from_secs(2)));
    assert!(options.flag(Key::Spawn));
}

#[test]
fn flags_take_a_bool() {
    let (options, errors) = read(quote!(oneway = false, idempotent = true), &[], Level::Method);
    assert_eq!(errors, Vec::<String>::new());
    assert!(!options.flag(Key::Oneway));
    assert!(options.flag(Key::Idempotent));
}

#[test]
fn a_string_is_a_list_of_one() {
    let (options, _) = read(quote!(alias = "times"), &[], Level::Method);
    let aliases: Vec<_> = options.list(Key::Alias).iter().map(syn::LitStr::value).collect();
    assert_eq!(aliases, ["times"]);
}

#[test]
fn a_broken_option_hides_none_after_it() {
    let tokens = quote!(7, codec = json, : , name = "Calc" timeout = "2s", nmae = "x");
    let (options, errors) = read(tokens, &[], Level::Trait);
    assert_eq!(
        errors,
        [
            "expected the name of an option",
            "expected a string, as in `codec = \"json\"`",
            "expected the name of an option",
            "expected `,` before `timeout`",
            "unknown option `nmae`: did you mean `name`?",
        ]
    );
    assert!(options.text(Key::Name).is_some());
    assert!(options.duration(Key::Timeout).is_some());
}

#[test]
fn a_value_without_quotes_is_told_once() {
    for tokens in [
        quote!(base_path = /rpcx/test),
        quote!(base_path = rpcx / test),
        quote!(base_path = 127.0.0.1:8500/rpcx),
        quote!(base_path = $rpcx),
    ] {
        let (options, errors) = read(quote!(#tokens, name = "Calc"), &[], Level::Trait);
        assert_eq!(errors, ["expected a string, as in `base_path = \"/rpcx_test\"`"], "{tokens}");
        assert!(options.text(Key::Name).is_some());
    }
    let (_, errors) = read(quote!(servers = tcp@localhost:8972), &[], Level::Trait);
    assert_eq!(errors, ["expected a list of strings, as in `servers = [\"…\", \"…\"]`"]);
}

#[test]
fn a_wrong_option_counts_as_given() {
    let (options, errors) = read(quote!(timeout = 5, timeout = "2s"), &[], Level::Trait);
    assert_eq!(
        errors,
        [
            "expected a string, as in `timeout = \"2s\"`",
            "`timeout` is given twice",
            "`timeout` is first given here",
        ]
    );
    assert!(options.get(Key::Timeout).is_some());
}

#[test]
fn an_option_of_a_later_version_is_told_once_whatever_its_value() {
    let (options, errors) = read(quote!(retries = "many", mock, dyn), &[], Level::Trait);
    let expected = ["retries", "mock", "dyn"].map(|name| format!("`{name}` is not available yet"));
    assert_eq!(errors, expected);
    assert!(options.get(Key::Retries).is_some());
}

#[test]
fn a_reserved_word_is_told_as_such() {
    let (options, errors) =
        read(quote!(fail_mode = "failbackup", select = "closet"), &[], Level::Trait);
    assert_eq!(
        errors,
        [
            "fail mode \"failbackup\" is not available yet \
             (available: `failover`, `failfast`, `failtry`)",
            "unknown selector \"closet\": \"closest\" is not available yet \
             (known: `random`, `round_robin`)",
        ]
    );
    assert!(options.text(Key::FailMode).is_none());
    assert!(options.is_given(Key::FailMode));
}

#[test]
fn numbers_are_whole_and_fit() {
    for (tokens, expected) in [(quote!(0), 0), (quote!(1_000), 1_000), (quote!(0x10), 16)] {
        let (options, errors) = read(quote!(weight = #tokens), &[], Level::Trait);
        assert_eq!(errors, Vec::<String>::new());
        assert_eq!(options.int(Key::Weight), Some(expected));
    }
    let range = "`weight` is a number from 0 to 4294967295";
    let form = "expected a whole number, as in `weight = 10`";
    for (tokens, message) in [
        (quote!(-1), range),
        (quote!(4294967296), range),
        (quote!(99999999999999999999999999999999999999999999), range),
        (quote!(1.5), form),
        (quote!(-1.5), form),
        (quote!("5"), form),
        (quote!(5u32), form),
        (quote!(weight), form),
    ] {
        let (options, errors) = read(quote!(weight = #tokens), &[], Level::Trait);
        assert_eq!(errors, [message], "{tokens}");
        assert_eq!(options.int(Key::Weight), None);
    }
}

#[test]
fn crate_paths_are_absolute() {
    for (path, expected) in [
        (quote!(::facade::rpcx), ":: facade :: rpcx"),
        (quote!(crate::rpcx), "crate :: rpcx"),
        (quote!(crate), "crate"),
    ] {
        let (options, errors) = read(quote!(crate = #path), &[], Level::Trait);
        assert_eq!(errors, Vec::<String>::new());
        assert_eq!(quote::ToTokens::to_token_stream(&options.krate()).to_string(), expected);
    }
    let (options, errors) = read(quote!(crate = facade::rpcx), &[], Level::Trait);
    assert_eq!(errors, ["use an absolute path: `::facade::rpcx` or `crate::…`"]);
    assert_eq!(quote::ToTokens::to_token_stream(&options.krate()).to_string(), ":: rpcx");
}

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
fn gos_words_are_answered_with_ours() {
    for (option, word, ours) in [
        ("fail_mode", "Failover", "failover"),
        ("fail_mode", "Failbackup", "failbackup"),
        ("select", "RandomSelect", "random"),
        ("select", "RoundRobin", "round_robin"),
        ("select", "WeightedRoundRobin", "weighted_round_robin"),
        ("select", "WeightedICMP", "weighted_ping"),
        ("select", "weightedicmp", "weighted_ping"),
        ("select", "ConsistentHash", "consistent_hash"),
        ("select", "Closest", "closest"),
        ("codec", "MsgPack", "msgpack"),
        ("codec", "ProtoBuffer", "protobuf"),
    ] {
        let name = quote::format_ident!("{option}");
        let (_, errors) = read(quote!(#name = #word), &[], Level::Trait);
        let [error] = errors.as_slice() else { panic!("{word}: {errors:?}") };
        assert!(error.contains(&format!(" {word:?}: did you mean {ours:?}? (known: ")), "{error}");
    }
    // Go's other selectors are functions of the program.
    let (options, errors) = read(quote!(select = "SelectByUser"), &[], Level::Trait);
    assert_eq!(
        errors,
        ["unknown selector \"SelectByUser\" (known: `random`, `round_robin`, \
          `weighted_round_robin`, `weighted_ping`, `consistent_hash`, `closest`, `least_pending`)"]
    );
    assert!(options.is_unclear(Key::Select));
}

#[test]
fn what_cannot_be_read_is_unclear() {
    for tokens in [quote!(idempotent = "yes"), quote!(idempotnet)] {
        let (options, _) = read(tokens, &[], Level::Method);
        assert!(options.is_unclear(Key::Idempotent));
    }
    for tokens in [quote!(idempotent = false), quote!(idempotent), quote!()] {
        let (options, _) = read(tokens, &[], Level::Method);
        assert!(!options.is_unclear(Key::Idempotent));
    }
}

#[test]
fn numbers_are_whole_and_fit() {
    for (tokens, expected) in [(quote!(0), 0), (quote!(1_000), 1_000), (quote!(0x10), 16)] {
        let (options, errors) =
            read(quote!(weight = #tokens, retries = #tokens), &[], Level::Trait);
        assert_eq!(errors, Vec::<String>::new());
        assert_eq!(options.int(Key::Weight), Some(expected));
        assert_eq!(options.int(Key::Retries), Some(expected));
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

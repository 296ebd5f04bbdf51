//! Mistakes whose case in `ui-tests` would need a cargo feature or an odd set of tokens.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse_quote;

use crate::{ctxt::Ctxt, entry, parse, validate};

fn mistakes(options: TokenStream, methods: &TokenStream) -> Vec<String> {
    let ctxt = Ctxt::new();
    let service = parse::service(options, parse_quote!(trait Arith { #methods }), &ctxt);
    validate::validate(&service, &ctxt);
    ctxt.messages()
}

#[test]
fn a_right_service_has_none() {
    let methods = quote!(
        async fn mul(&self, a: i32) -> rpcx::Result<i32>;
    );
    assert_eq!(mistakes(quote!(name = "Calc"), &methods), Vec::<String>::new());
}

#[test]
fn protobuf_carries_one_message() {
    let methods = quote! {
        async fn mul(&self, a: A) -> rpcx::Result<A>;
        async fn ping(&self) -> rpcx::Result<A>;
        async fn add(&self, a: A, b: A, c: A) -> rpcx::Result<A>;
    };
    assert_eq!(
        mistakes(quote!(codec = "protobuf"), &methods),
        ["protobuf carries one message: group the parameters in a message"]
    );
}

#[test]
fn a_registry_takes_what_suits_it() {
    let methods = quote!(
        async fn mul(&self, a: i32) -> rpcx::Result<i32>;
    );
    let entries = quote!(update_interval = "30s", metrics, group = "blue", weight = 5);
    for options in [
        quote!(registry = "zookeeper", base_path = "/rpcx", session_ttl = "10s", #entries),
        quote!(registry = "etcd", servers = "h:2379", session_ttl = "10s", #entries),
        quote!(registry = "consul", servers = ["a:1", "b:1"], consul = "both", #entries),
        quote!(registry = "mdns", #entries),
        quote!(registry = "inprocess", group = "blue", weight = 5),
        quote!(registry = "peer2peer", servers = ["tcp@h:1"], group = "blue", weight = 5),
        quote!(registry = "multiple", servers = "tcp@h:1?weight=5", group = "blue"),
    ] {
        assert_eq!(mistakes(options.clone(), &methods), Vec::<String>::new(), "{options}");
    }
}

#[test]
fn what_does_not_suit_a_registry_is_told_option_by_option() {
    let methods = quote!(
        async fn mul(&self, a: i32) -> rpcx::Result<i32>;
    );
    let all = quote!(
        base_path = "no good",
        servers = "no good",
        update_interval = "1s",
        metrics,
        session_ttl = "1s",
        consul = "kv"
    );
    let [zookeeper, mdns, inprocess] = ["zookeeper", "mdns", "inprocess"]
        .map(|name| mistakes(quote!(registry = #name, #all), &methods));
    assert_eq!(
        zookeeper,
        [
            "`consul` needs `registry = \"consul\"`",
            "invalid base_path: ` ` is not allowed; use letters, digits, `_`, `-`, `.` and `/`",
            "the port is missing, as in \"127.0.0.1:2181\"",
        ]
    );
    assert_eq!(
        mdns,
        [
            "`mdns` has no base path",
            "`mdns` takes no `servers`: it finds them on the local network",
            "`mdns` has no sessions",
            "`consul` needs `registry = \"consul\"`",
        ]
    );
    assert_eq!(
        inprocess,
        [
            "`inprocess` has no base path",
            "`inprocess` takes no `servers`: they are those of this process",
            "`inprocess` has no entries to update",
            "`inprocess` has no entries that metrics could go into",
            "`inprocess` has no sessions",
            "`consul` needs `registry = \"consul\"`",
        ]
    );
}

#[test]
fn a_missing_or_misspelled_registry_is_told_once() {
    let methods = quote!(
        async fn mul(&self, a: i32) -> rpcx::Result<i32>;
    );
    let about = quote!(base_path = "/a", weight = 5, consul = "kv");
    assert_eq!(
        mistakes(about.clone(), &methods),
        ["`base_path`, `weight` and `consul` need a `registry`"]
    );
    assert_eq!(
        mistakes(quote!(regsitry = "consul", #about), &methods),
        ["unknown option `regsitry`: did you mean `registry`?"]
    );
    assert_eq!(
        mistakes(quote!(registry = consul, #about), &methods),
        ["expected a string, as in `registry = \"consul\"`"]
    );
    assert_eq!(
        mistakes(quote!(registry = "peer2peer", sevrers = "tcp@h:1"), &methods),
        ["unknown option `sevrers`: did you mean `servers`?"]
    );
}

#[test]
fn a_backup_needs_an_idempotent_method_where_the_method_asks_for_it() {
    let method = |options: TokenStream| {
        mistakes(
            quote!(backup_latency = "5ms", select = "random"),
            &quote!(
                #[rpcx(#options)]
                async fn mul(&self, #[rpcx(hash_key)] a: i32) -> rpcx::Result<()>;
            ),
        )
    };
    let twice = "\"failbackup\" may run `mul` at two servers: add `idempotent` if that does no harm, \
                 or take another fail mode";
    let why = "nobody waits for a reply that a second server could give sooner";
    for (options, expected) in [
        (quote!(fail_mode = "failbackup"), twice),
        (quote!(fail_mode = "failbackup", idempotent = false, retry = "at_least_once"), twice),
        (
            quote!(oneway, idempotent, fail_mode = "failbackup", backup_latency = "5ms"),
            &format!("a one-way method cannot be \"failbackup\": {why}"),
        ),
        (
            quote!(oneway, backup_latency = "5ms"),
            &format!("`backup_latency` has no effect on a one-way method: {why}"),
        ),
        (
            quote!(fail_mode = "failbackup", idempotent = 1),
            "`idempotent` is a flag: write `idempotent`",
        ),
        (
            quote!(fail_mode = "failbackup", idempotnet),
            "unknown option `idempotnet`: did you mean `idempotent`?",
        ),
        (
            quote!(fail_mode = "failback"),
            "unknown fail mode \"failback\": did you mean \"failbackup\"? (known: `failover`, \
             `failfast`, `failtry`, `failbackup`)",
        ),
    ] {
        assert_eq!(method(options.clone()), [expected], "{options}");
    }
    for options in [
        quote!(fail_mode = "failbackup", idempotent),
        quote!(backup_latency = "5ms"),
        quote!(oneway, attempt_timeout = "5ms", retries = 0, retry_interval = "1s"),
    ] {
        assert_eq!(method(options.clone()), Vec::<String>::new(), "{options}");
    }
}

#[test]
fn what_the_trait_says_of_backups_is_for_the_methods_it_suits() {
    let methods = quote! {
        async fn mul(&self, a: i32) -> rpcx::Result<i32>;
        #[rpcx(oneway)]
        async fn note(&self, a: i32) -> rpcx::Result<()>;
    };
    let options = quote!(fail_mode = "failbackup", backup_latency = "5ms");
    assert_eq!(mistakes(options, &methods), Vec::<String>::new());
}

#[test]
fn each_further_hash_key_is_told() {
    let methods = quote! {
        async fn a(&self, #[rpcx(hash_key)] x: i32, #[rpcx(hash_key = false)] y: i32) -> rpcx::Result<()>;
        async fn b(&self, v: i32, #[rpcx(hash_key)] w: i32, #[rpcx(hash_key)] x: i32, #[rpcx(hash_key)] y: i32) -> rpcx::Result<()>;
        async fn c(&self, #[rpcx(hash_key)] ctx: &rpcx::Context, #[rpcx(hash_key)] x: i32) -> rpcx::Result<()>;
    };
    let second = "`hash_key` is on `w` already: one argument chooses the server; group in a struct \
                  what is to choose together";
    let context = "`hash_key` has no effect on the context: it is not sent";
    assert_eq!(mistakes(TokenStream::new(), &methods), [second, second, context]);
}

#[test]
fn conditional_methods_may_share_a_wire_name() {
    let methods = quote! {
        #[cfg(unix)]
        async fn mul(&self, a: i32) -> rpcx::Result<i32>;
        #[cfg(not(unix))]
        async fn mul(&self, a: u32) -> rpcx::Result<u32>;
    };
    assert_eq!(mistakes(TokenStream::new(), &methods), Vec::<String>::new());
}

#[test]
fn a_thirteenth_parameter_is_told_once() {
    let names = (0..15).map(|n| quote::format_ident!("p{n}"));
    let methods = quote!(async fn mul(&self, #(#names: i32),*) -> rpcx::Result<i32>;);
    assert_eq!(
        mistakes(TokenStream::new(), &methods),
        ["an RPC method has at most 12 parameters: group them in a struct"]
    );
}

#[test]
fn what_is_no_trait_stays_and_loses_its_options() {
    let item = quote!(
        #[doc = "d"]
        #[rpcx(name = "A")]
        pub struct Arith;
    );
    let expanded = entry::service(&TokenStream::new(), &item).to_string();
    let kept = quote!(
        #[doc = "d"]
        pub struct Arith;
    )
    .to_string();
    assert!(expanded.starts_with(&kept), "{expanded}");
}

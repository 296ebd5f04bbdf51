//! Traits and options with tokens added, lost, doubled and moved: the macros expand them or complain, and never
//! fail themselves.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;

use crate::entry;

#[test]
fn no_tokens_make_the_macros_fail() {
    assert_eq!(find_failure(3_000), None);
}

/// Gives options and an item with which a macro fails.
fn find_failure(rounds: u64) -> Option<String> {
    let words: Vec<TokenTree> = words().into_iter().collect();
    for seed in 1..=rounds {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut args = pick(&samples_of_options(), &mut dice);
        let mut item = pick(&samples_of_items(), &mut dice);
        for _ in 0..=dice.below(4) {
            if dice.below(3) == 0 {
                args = changed(args, &words, &mut dice);
            } else {
                item = changed(item, &words, &mut dice);
            }
        }
        let made = [
            entry::service(&args, &item),
            entry::options(&args, &item),
            entry::service_error(item.clone()),
        ];
        if made.iter().any(|made| made.to_string().contains("this is a mistake in rpcx-macros")) {
            return Some(format!("#[rpcx::service({args})] {item}"));
        }
    }
    None
}

fn samples_of_options() -> Vec<TokenStream> {
    vec![
        quote!(),
        quote!(codec = "json", fail_mode = "failover", retries = 2, timeout = "1m30s"),
        quote!(
            registry = "consul",
            base_path = "/b",
            servers = ["a:1", "b:2"],
            weight = 3,
            metrics = false
        ),
        quote!(
            registry = "multiple",
            servers = "tcp@a:1",
            select = "closest",
            client = Stub,
            mock,
            dyn
        ),
        quote!(name = "Calc", rename_all = "snake_case", crate = crate::facade, server = false),
    ]
}

fn samples_of_items() -> Vec<TokenStream> {
    vec![
        quote! {
            /// Calculates.
            pub trait Arith: Debug {
                /// Multiplies.
                #[rpcx(idempotent, timeout = "1s", alias = ["Multiply"])]
                async fn mul(&self, ctx: &rpcx::Context, args: Args) -> rpcx::Result<Reply>;
                #[rpcx(oneway)]
                async fn note(&self, #[rpcx(name = "Who")] who: &str, b: [u8; 2]) -> rpcx::Result<()> {
                    self.other(|x| x + 1).await
                }
                #[rpcx(local)]
                fn local(&self) -> u32 { 1 }
            }
        },
        quote! {
            trait Store<K: Data, const N: usize = 2> where K: Clone {
                type Item;
                const MOST: usize;
                async fn get(&self, #[rpcx(hash_key)] key: K) -> Result<[K; N], Failure<'static>>;
                macro_call!();
            }
        },
        quote! {
            #[derive(Debug)]
            pub enum StockError<T: Clone = i32> {
                SoldOut(T),
                #[service_error(other)]
                #[serde(skip)]
                Other { error: rpcx::Error },
            }
        },
        quote!(
            struct Calculator {
                a: u8,
            }
        ),
        quote!(),
    ]
}

fn words() -> TokenStream {
    quote! {
        async fn trait unsafe pub dyn impl where for 'a <T> &mut self Self = : , ; -> => :: ? ! # ..
        "" "failover" "1s" "/" 0 1u8 -1 1.5 'c' b"x" r#raw #[rpcx] #[rpcx(oneway, oneway)] #![inner]
        (a: u8) [u8] { } rpcx::Result<()> Option<Vec<String>> name codec alias ctx hash_key other true
    }
}

/// Numbers by chance, the same ones each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        // Marsaglia's xorshift.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % most.max(1)
    }
}

fn pick(samples: &[TokenStream], dice: &mut Dice) -> TokenStream {
    samples[dice.below(samples.len())].clone()
}

/// Changes one place, at this level or within a group.
fn changed(tokens: TokenStream, words: &[TokenTree], dice: &mut Dice) -> TokenStream {
    let mut tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let at = dice.below(tokens.len() + 1);
    if let Some(TokenTree::Group(group)) = tokens.get(at)
        && dice.below(4) > 0
    {
        let inner = changed(group.stream(), words, dice);
        tokens[at] = Group::new(group.delimiter(), inner).into();
        return tokens.into_iter().collect();
    }
    match dice.below(6) {
        0 | 1 => tokens.insert(at, words[dice.below(words.len())].clone()),
        2 if at < tokens.len() => drop(tokens.remove(at)),
        3 if at < tokens.len() => tokens.insert(at, tokens[at].clone()),
        4 if !tokens.is_empty() => {
            let other = dice.below(tokens.len());
            let at = at.min(tokens.len() - 1);
            tokens.swap(at, other);
        }
        _ => {
            // The rest moves into a group, one without signs among them.
            let delimiters =
                [Delimiter::None, Delimiter::Brace, Delimiter::Bracket, Delimiter::Parenthesis];
            let rest = tokens.split_off(at);
            let group = Group::new(delimiters[dice.below(4)], rest.into_iter().collect());
            tokens.push(group.into());
        }
    }
    tokens.into_iter().collect()
}

//! The values of options, from tokens to checked values.

use std::time::Duration;

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Lit, LitStr, punctuated::Punctuated};

use super::table::{Kind, Row};
use crate::{ctxt::Ctxt, suggest};

/// The words of `codec`.
pub(crate) const CODECS: &[&str] = &["msgpack", "json", "protobuf", "raw"];
/// The words of `compress`.
pub(crate) const COMPRESSORS: &[&str] = &["none", "gzip"];
/// The words of `rename_all`.
pub(crate) const CASES: &[&str] = &["PascalCase", "camelCase", "snake_case", "verbatim"];

/// The value of an option.
pub(crate) enum Value {
    Flag(bool),
    Text(LitStr),
    List(Vec<LitStr>),
    Duration(Duration),
    Int(u32),
    Path(TokenStream),
    Toggle(Toggle),
    /// Given, but wrong or without effect: the error has been noted.
    Wrong,
}

/// Whether a generated type is wanted, and under which name.
pub(crate) enum Toggle {
    On,
    Off,
    Named(Ident),
}

/// Reads the value of an option out of the tokens after its `=`.
pub(crate) fn read(row: &Row, tokens: &[TokenTree], ctxt: &Ctxt) -> Value {
    let value = match row.kind {
        Kind::Flag => flag(tokens),
        Kind::Text | Kind::Word { .. } | Kind::Duration => string(tokens).map(Value::Text),
        Kind::List => list(tokens).map(Value::List),
        Kind::Int => return int(row, tokens, ctxt),
        Kind::Path => return path(row, tokens, ctxt),
        Kind::Toggle => toggle(tokens),
    };
    match (row.kind, value) {
        (Kind::Word { noun, words, gos }, Some(Value::Text(text))) => {
            known(noun, words, gos, text, ctxt)
        }
        (Kind::Duration, Some(Value::Text(text))) => match duration(&text.value()) {
            Ok(duration) => Value::Duration(duration),
            Err(why) => {
                ctxt.on(&text, format_args!("{:?} is no duration: {why}", text.value()));
                Value::Wrong
            }
        },
        (_, Some(value)) => value,
        (_, None) => {
            ctxt.on(tokens.iter().cloned().collect::<TokenStream>(), expected(row));
            Value::Wrong
        }
    }
}

/// What is wrong with a name that goes onto the wire, if anything is.
pub(crate) fn check_wire_name(name: &LitStr, ctxt: &Ctxt) {
    let text = name.value();
    if text.is_empty() {
        ctxt.on(name, "a wire name cannot be empty");
    } else if text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '/') {
        ctxt.on(
            name,
            format_args!("{text:?} cannot be a wire name: no spaces, control characters or `/`"),
        );
    }
}

fn expected(row: &Row) -> String {
    match row.kind {
        Kind::Flag if row.example.is_empty() => format!("`{0}` is a flag: write `{0}`", row.name),
        Kind::Flag => format!("expected `true` or `false`, as in `{}`", row.usage()),
        Kind::Toggle => {
            format!("expected `true`, `false` or a name without quotes, as in `{}`", row.usage())
        }
        Kind::List => format!("expected a list of strings, as in `{}`", row.usage()),
        Kind::Int => format!("expected a whole number, as in `{}`", row.usage()),
        Kind::Path => format!("expected a path without quotes, as in `{}`", row.usage()),
        Kind::Text | Kind::Word { .. } | Kind::Duration => {
            format!("expected a string, as in `{}`", row.usage())
        }
    }
}

fn flag(tokens: &[TokenTree]) -> Option<Value> {
    bool_of(tokens).map(Value::Flag)
}

fn toggle(tokens: &[TokenTree]) -> Option<Value> {
    if let Some(on) = bool_of(tokens) {
        return Some(Value::Toggle(if on { Toggle::On } else { Toggle::Off }));
    }
    let name = syn::parse2(tokens.iter().cloned().collect()).ok()?;
    Some(Value::Toggle(Toggle::Named(name)))
}

fn bool_of(tokens: &[TokenTree]) -> Option<bool> {
    match tokens {
        [TokenTree::Ident(word)] if word == "true" => Some(true),
        [TokenTree::Ident(word)] if word == "false" => Some(false),
        _ => None,
    }
}

fn string(tokens: &[TokenTree]) -> Option<LitStr> {
    match tokens {
        [TokenTree::Literal(literal)] => match Lit::new(literal.clone()) {
            Lit::Str(text) if text.suffix().is_empty() => Some(text),
            _ => None,
        },
        _ => None,
    }
}

fn list(tokens: &[TokenTree]) -> Option<Vec<LitStr>> {
    match tokens {
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::Bracket => {
            let parser = Punctuated::<LitStr, syn::Token![,]>::parse_terminated;
            let texts = syn::parse::Parser::parse2(parser, group.stream()).ok()?;
            Some(texts.into_iter().collect())
        }
        tokens => string(tokens).map(|text| vec![text]),
    }
}

/// A number without a suffix.
fn int(row: &Row, tokens: &[TokenTree], ctxt: &Ctxt) -> Value {
    let negative = matches!(tokens, [TokenTree::Punct(_), _]);
    let literal = match tokens {
        [TokenTree::Literal(literal)] | [TokenTree::Punct(_), TokenTree::Literal(literal)] => {
            match Lit::new(literal.clone()) {
                Lit::Int(number) if number.suffix().is_empty() => Some(number),
                _ => None,
            }
        }
        _ => None,
    };
    let message = match literal {
        None => expected(row),
        Some(number) => match number.base10_parse::<u32>() {
            Ok(number) if !negative => return Value::Int(number),
            _ => format!("`{}` is a number from 0 to {}", row.name, u32::MAX),
        },
    };
    ctxt.on(tokens.iter().cloned().collect::<TokenStream>(), message);
    Value::Wrong
}

/// A path of the crate. It has to be absolute: generated code must not meet a module of the
/// user's that happens to have the same name.
fn path(row: &Row, tokens: &[TokenTree], ctxt: &Ctxt) -> Value {
    let tokens: TokenStream = tokens.iter().cloned().collect();
    let parser = syn::Path::parse_mod_style;
    let Ok(path) = syn::parse::Parser::parse2(parser, tokens.clone()) else {
        ctxt.on(&tokens, expected(row));
        return Value::Wrong;
    };
    let from_crate = path.segments.first().is_some_and(|segment| {
        let first = segment.ident.to_string();
        // `$crate` is how a `macro_rules!` macro names its own crate.
        first == "crate" || first == "$crate"
    });
    if path.leading_colon.is_none() && !from_crate {
        let absolute = path.to_token_stream().to_string().replace(' ', "");
        ctxt.on(&path, format_args!("use an absolute path: `::{absolute}` or `crate::…`"));
        return Value::Wrong;
    }
    Value::Path(path.into_token_stream())
}

fn known(noun: &str, words: &[&str], gos: &[(&str, &str)], text: LitStr, ctxt: &Ctxt) -> Value {
    let word = text.value();
    if words.contains(&word.as_str()) {
        return Value::Text(text);
    }
    let list = suggest::list(words.iter().copied());
    let translated = gos.iter().find(|(go, _)| go.eq_ignore_ascii_case(&word)).map(|(_, our)| *our);
    let hint = translated
        .or_else(|| suggest::nearest(&word, words.iter().copied()))
        .map(|near| format!(": did you mean {near:?}?"))
        .unwrap_or_default();
    ctxt.on(&text, format_args!("unknown {noun} {word:?}{hint} (known: {list})"));
    Value::Wrong
}

/// Reads `"1m30s"`.
fn duration(text: &str) -> Result<Duration, String> {
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return Err("it is empty".to_owned());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        if number.is_empty() {
            return Err("a whole number comes before each unit".to_owned());
        }
        let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let milliseconds = match unit.trim() {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "" => return Err("the unit is missing: write `ms`, `s`, `m` or `h`".to_owned()),
            "." => return Err("it has a fraction: write `1s500ms` instead of `1.5s`".to_owned()),
            _ => return Err("the unit must be `ms`, `s`, `m` or `h`".to_owned()),
        };
        let part = number.parse::<u64>().ok().and_then(|n| n.checked_mul(milliseconds));
        let sum = part.and_then(|part| total.checked_add(Duration::from_millis(part)));
        total = sum.filter(|sum| u32::try_from(sum.as_secs()).is_ok()).ok_or("it is too long")?;
        rest = after;
    }
    if total.is_zero() {
        return Err("the duration must be longer than zero".to_owned());
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_add_up() {
        let cases = [
            ("250ms", 250),
            ("2s", 2_000),
            ("1m30s", 90_000),
            ("1h1m1s1ms", 3_661_001),
            ("1m 30s", 90_000),
        ];
        for (text, milliseconds) in cases {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)));
        }
    }

    #[test]
    fn durations_are_refused_with_a_reason() {
        let cases = [
            ("", "it is empty"),
            ("s", "a whole number comes before each unit"),
            ("-2s", "a whole number comes before each unit"),
            ("2", "the unit is missing: write `ms`, `s`, `m` or `h`"),
            ("2 parsecs", "the unit must be `ms`, `s`, `m` or `h`"),
            ("1.5s", "it has a fraction: write `1s500ms` instead of `1.5s`"),
            ("0s", "the duration must be longer than zero"),
            ("99999999999999999999h", "it is too long"),
            ("18446744073709551615h", "it is too long"),
        ];
        for (text, why) in cases {
            assert_eq!(duration(text), Err(why.to_owned()), "{text}");
        }
    }
}

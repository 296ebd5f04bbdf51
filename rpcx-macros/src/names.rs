//! How Rust names become names on the wire.

use std::str::FromStr;

/// The rule for the wire names of a service's methods.
///
/// Go exports only what begins with a capital, hence the default.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Case {
    /// `get_user` → `GetUser`.
    #[default]
    Pascal,
    /// `get_user` → `getUser`.
    Camel,
    /// `getUser` → `get_user`.
    Snake,
    /// As written.
    Verbatim,
}

impl FromStr for Case {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        match word {
            "PascalCase" => Ok(Self::Pascal),
            "camelCase" => Ok(Self::Camel),
            "snake_case" => Ok(Self::Snake),
            "verbatim" => Ok(Self::Verbatim),
            _ => Err(()),
        }
    }
}

impl Case {
    /// The wire name of an identifier (without `r#`).
    pub(crate) fn apply(self, ident: &str) -> String {
        let renamed = match self {
            Self::Pascal => ident.split('_').map(capitalized).collect(),
            Self::Camel => {
                let mut words = ident.split('_').filter(|word| !word.is_empty());
                let first = words.next().map(uncapitalized).unwrap_or_default();
                words.map(capitalized).fold(first, |name, word| name + &word)
            }
            Self::Snake => snake(ident),
            Self::Verbatim => ident.to_owned(),
        };
        // An identifier of nothing but underscores keeps its name.
        if renamed.is_empty() { ident.to_owned() } else { renamed }
    }
}

/// A name without the `r#` of a raw identifier.
pub(crate) fn plain(ident: &proc_macro2::Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").map_or(name.clone(), str::to_owned)
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn uncapitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

fn snake(ident: &str) -> String {
    let mut name = String::new();
    for letter in ident.chars() {
        if letter.is_uppercase() && !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_renames() {
        let cases = [
            ("mul", "Mul", "mul", "mul"),
            ("get_user", "GetUser", "getUser", "get_user"),
            ("getUser", "GetUser", "getUser", "get_user"),
            ("_ping", "Ping", "ping", "_ping"),
            ("a_1", "A1", "a1", "a_1"),
            ("__", "__", "__", "__"),
            ("ärger_über", "ÄrgerÜber", "ärgerÜber", "ärger_über"),
        ];
        for (ident, pascal, camel, snake) in cases {
            assert_eq!(Case::Pascal.apply(ident), pascal);
            assert_eq!(Case::Camel.apply(ident), camel);
            assert_eq!(Case::Snake.apply(ident), snake);
            assert_eq!(Case::Verbatim.apply(ident), ident);
        }
    }

    #[test]
    fn raw_identifiers_lose_their_prefix() {
        assert_eq!(plain(&syn::parse_quote!(r#type)), "type");
        assert_eq!(plain(&syn::parse_quote!(mul)), "mul");
    }
}

//! Lines of JSON, one an event, as the registry programs of both languages print them.
#![expect(clippy::print_stdout, reason = "whoever started the program reads the lines")]

use serde_json::{Map, Value};

/// Prints an event with the time of day, UTC.
pub fn event(kind: &str, fields: impl IntoIterator<Item = (&'static str, Value)>) {
    let mut line = Map::new();
    line.insert("t".to_owned(), time_of_day().into());
    line.insert("ev".to_owned(), kind.into());
    line.extend(fields.into_iter().map(|(key, value)| (key.to_owned(), value)));
    println!("{}", Value::Object(line));
}

fn time_of_day() -> String {
    #[expect(clippy::disallowed_methods, reason = "a stamp for people, no timer depends on it")]
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let (seconds, millis) = (since.as_secs() % 86_400, since.subsec_millis());
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}.{millis:03}")
}

//! Runs `soak` for a moment, with every kind of trouble once.

#[allow(dead_code, reason = "each test file uses a part")]
mod support;

use support::Program;

const SOAK: &str = env!("CARGO_BIN_EXE_soak");

#[test]
fn all_is_well_after_every_kind_of_trouble() {
    let options = ["--minutes", "0", "--phase", "0.3", "--callers", "8", "--seed", "1"];
    let ended = Program::run(SOAK, &options).expect_success();
    assert_eq!(ended.output.last().map(String::as_str), Some("all is well"), "{ended:#?}");
    let kinds = ended.output.iter().find_map(|line| line.strip_prefix("kinds of trouble: "));
    assert_eq!(kinds.expect("they are told").split(", ").count(), 11, "{ended:#?}");
}

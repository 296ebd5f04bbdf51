//! See `metadata` of the shared targets.
#![no_main]

#[path = "../../tests/support/fuzz_targets.rs"]
#[allow(dead_code, reason = "each target uses some of it")]
mod fuzz_targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_targets::metadata(data));

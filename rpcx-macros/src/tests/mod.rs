//! Tests of the whole way from tokens to tokens, without a compiler.

mod expansion;
mod mistakes;
mod noise;
mod options;
mod reference;

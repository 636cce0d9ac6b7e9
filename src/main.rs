//! gpujob's entry: parse, run, print one error, return one code.

fn main() {}

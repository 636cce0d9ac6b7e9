//! The command line as clap structs: names, help and types, no behaviour (cli.md §2).

pub mod sandbox;

//! Providers: one folder per backend behind one trait.

pub mod chooser;

//! What happens between a request and its verdict: submit without doubling, waiting, folding in what is remembered.
//!
//! `catalogue`, `fold`, `verdict` and `wait` are pure; `submit`, `drive`, `settle` and `fanout` do the talking.

pub mod array;
pub mod catalogue;
pub mod drive;
pub mod fanout;
pub mod fold;
pub mod interrupt;
pub mod logs;
pub mod settle;
pub mod submit;
pub mod verdict;
pub mod wait;

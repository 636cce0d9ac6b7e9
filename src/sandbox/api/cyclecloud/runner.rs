//! The one place where the nodes' runner comes in: the very script that an operator installs on the real cluster
//! (cyclecloud.md §8.2), and so what the sandbox's nodes execute. It is the one thing that both sides share; what it
//! is given and what comes of it is judged from the contract.

/// The runner's text.
pub(super) use crate::provider::cyclecloud::RUNNER;

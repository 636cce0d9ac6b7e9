//! Tests of the whole backend: recorded answers, states, plans, verdicts, calls over a scripted transport, the runner.

mod runner;

//! The binary as a user runs it: wiring, output and exit codes.

mod api;
mod arrays;
mod bad_input;
mod explain;
mod failover;
mod files;
mod follow;
mod help;
mod interrupts;
mod journal;
mod keys;
mod local;
mod logs;
mod main_job;
mod money;
mod paracloud;
mod refs;
mod secrets;
mod side_by_side;
mod state_directory;
mod streams;
mod submit;
mod types;
mod verdicts;
mod waiting;
mod watching;

/// A job that both emulated backends can run, in a moment.
const JOB: &str = "\
name: my job
image: registry.example/tool:1
command: [sh, -c, 'exit 0']
env: { LR: \"3e-5\" }
resources: { gpu: { model: V100, count: 1 } }
timeout: 10m
";

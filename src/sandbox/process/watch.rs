//! One process and the task that watches it: only the watcher signals, so that no signal reaches a process id that was
//! given to somebody else in the meantime.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Child;
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};

use crate::model::Timestamp;

/// Between the polite and the hard stop.
const GRACE: Duration = Duration::from_millis(500);

/// What became of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProcessStatus {
    Running,
    /// Ended by itself with this code.
    Exited(i32),
    /// Ended by this signal.
    Signalled(i32),
    /// Stopped because its time limit had passed.
    TimedOut,
    /// Never ran, and why; a container runtime tells the same by 127.
    NotStarted(String),
}

impl ProcessStatus {
    /// Whether it is over.
    pub fn is_finished(&self) -> bool {
        *self != Self::Running
    }

    /// The code a shell would see: 128 + n for a signal, 124 for the time limit, 127 for what never ran.
    pub fn exit_code(&self) -> Option<i32> {
        match self {
            Self::Running => None,
            Self::Exited(code) => Some(*code),
            Self::Signalled(signal) => Some(128 + signal),
            Self::TimedOut => Some(124),
            Self::NotStarted(_) => Some(127),
        }
    }
}

/// A process that was started, or could not be; cheap to clone.
#[derive(Debug, Clone)]
pub struct Process {
    directory: PathBuf,
    log: PathBuf,
    started_at: Timestamp,
    stop: Arc<Notify>,
    crash: Arc<Notify>,
    record: watch::Receiver<Record>,
}

#[derive(Debug, Clone)]
struct Record {
    status: ProcessStatus,
    finished_at: Option<Timestamp>,
}

impl Process {
    /// What became of it.
    pub fn status(&self) -> ProcessStatus {
        self.record.borrow().status.clone()
    }

    /// Asks the whole process group to end: TERM, and KILL after a short grace. Returns at once.
    pub fn kill(&self) {
        self.stop.notify_one();
    }

    /// Ends the whole process group at once and without a word, as a machine that dies does. Returns at once.
    pub fn crash(&self) {
        self.crash.notify_one();
    }

    /// Standard output and standard error in one file, in the order they were written.
    pub fn log_path(&self) -> PathBuf {
        self.log.clone()
    }

    /// The directory it was given.
    pub fn directory(&self) -> PathBuf {
        self.directory.clone()
    }

    /// When it was started, by this machine's clock.
    pub fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// When it ended, by this machine's clock.
    pub fn finished_at(&self) -> Option<Timestamp> {
        self.record.borrow().finished_at
    }

    /// Waits until it is over.
    pub async fn finished(&self) {
        let mut record = self.record.clone();
        // An error means that the watcher is gone with its runtime, and its guard has killed the group.
        let _ignored = record
            .wait_for(|record| record.status.is_finished())
            .await
            .is_ok();
    }

    pub(super) fn not_started(directory: PathBuf, log: PathBuf, reason: String) -> Self {
        let now = Timestamp::now();
        let (_, record) = watch::channel(Record {
            status: ProcessStatus::NotStarted(reason),
            finished_at: Some(now),
        });
        Self {
            directory,
            log,
            started_at: now,
            stop: Arc::default(),
            crash: Arc::default(),
            record,
        }
    }
}

/// Hands a started child to a task of its own.
pub(super) fn watch(
    runtime: &Handle,
    child: Child,
    directory: PathBuf,
    log: PathBuf,
    time_limit: Option<Duration>,
) -> Process {
    let stop = Arc::new(Notify::new());
    let crash = Arc::new(Notify::new());
    let (sender, record) = watch::channel(Record {
        status: ProcessStatus::Running,
        finished_at: None,
    });
    let stop_asked = Arc::clone(&stop);
    let crash_asked = Arc::clone(&crash);
    let deadline = time_limit.and_then(|limit| Instant::now().checked_add(limit));
    // Made here and not by the task: a runtime that ends before the task's first turn must end the group too.
    let group = Group::of(&child);
    runtime.spawn(async move {
        let status = until_over(child, group, &stop_asked, &crash_asked, deadline).await;
        sender.send_replace(Record {
            status,
            finished_at: Some(Timestamp::now()),
        });
    });
    Process {
        directory,
        log,
        started_at: Timestamp::now(),
        stop,
        crash,
        record,
    }
}

async fn until_over(
    mut child: Child,
    mut group: Group,
    stop: &Notify,
    crash: &Notify,
    deadline: Option<Instant>,
) -> ProcessStatus {
    let mut timed_out = false;
    // First the time limit; once a stop was asked for, the end of the grace.
    let mut alarm = deadline;
    let mut asked = false;
    let outcome = loop {
        tokio::select! {
            biased;
            outcome = child.wait() => break outcome,
            // Before a stop: what went down with its machine was asked nothing.
            () = crash.notified() => {
                group.signal(Signal::KILL);
                continue;
            }
            () = stop.notified(), if !asked => {}
            () = reached(alarm) => {
                if asked {
                    group.signal(Signal::KILL);
                    alarm = None;
                    continue;
                }
                timed_out = true;
            }
        }
        asked = true;
        group.signal(Signal::TERM);
        alarm = Instant::now().checked_add(GRACE);
    };
    // A container takes its other processes along when its first one ends.
    group.signal(Signal::KILL);
    group.disarm();
    match outcome {
        _ if timed_out => ProcessStatus::TimedOut,
        Ok(status) => of_exit(status),
        Err(error) => ProcessStatus::NotStarted(format!("the process was lost: {error}")),
    }
}

async fn reached(alarm: Option<Instant>) {
    match alarm {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

fn of_exit(status: ExitStatus) -> ProcessStatus {
    match (status.code(), status.signal()) {
        (Some(code), _) => ProcessStatus::Exited(code),
        (None, Some(signal)) => ProcessStatus::Signalled(signal),
        (None, None) => ProcessStatus::Exited(-1),
    }
}

/// A child's process group; killed when the watcher is dropped with its runtime.
#[derive(Debug)]
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(
            child
                .id()
                .and_then(|id| i32::try_from(id).ok())
                .and_then(Pid::from_raw),
        )
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.0 {
            // Nobody left to signal is what was wanted.
            let _ignored = kill_process_group(group, signal);
        }
    }

    fn disarm(&mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

//! The pipe that stdout may be, and whether anybody reads it (cli.md §3, "a closed pipe is no error"): a job that writes
//! nothing more would never find out.

use std::io;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::ui::LogTarget;

/// Between two looks at the pipe.
const PAUSE: Duration = Duration::from_millis(500);

/// Returns when the reader of a log has gone; never where the log goes to stderr.
pub(super) async fn gone(target: LogTarget) {
    match target {
        LogTarget::Errors => std::future::pending().await,
        LogTarget::Output => {
            while !is_gone() {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Whether nobody reads stdout now.
pub(super) fn is_gone() -> bool {
    is_broken(&io::stdout())
}

/// Whether a write could only fail.
fn is_broken(stream: &impl std::os::fd::AsFd) -> bool {
    let mut asked = [PollFd::new(stream, PollFlags::empty())];
    let at_once = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let broken = PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL;
    poll(&mut asked, Some(&at_once)).is_ok()
        && asked.iter().any(|fd| fd.revents().intersects(broken))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_is_broken_when_its_reader_has_gone() {
        let (reader, writer) = io::pipe().unwrap();
        assert!(!is_broken(&writer));
        drop(reader);
        assert!(is_broken(&writer));
    }

    #[test]
    fn a_file_never_is() {
        assert!(!is_broken(&tempfile::tempfile().unwrap()));
    }
}

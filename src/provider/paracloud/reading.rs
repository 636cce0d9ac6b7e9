//! What is remembered of a script-mode job between looks: a finished group may vanish at any time (paracloud.md §3.5).
//!
//! Pure. The journal keeps it from the create on, so that logs and exit code are found when the group is not.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{FilePath, Flag, Job, Offer, ResourceRef, State, Timestamp};

use super::catalogue;
use super::state;

/// A file written by the job may be seen on this side of the volume so much later than the group's end.
const LATE_BY_AT_MOST: SignedDuration = SignedDuration::from_secs(10);
/// A group that ended so long ago, by the service's clock, has no file that is late.
const LONG_ENDED: SignedDuration = SignedDuration::from_secs(60);

/// What the journal keeps of a job; nothing for one without a script.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Reading {
    /// The volume's ref.
    #[serde(skip_serializing_if = "Option::is_none")]
    volume: Option<String>,
    /// Where the job's files are in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    folder: Option<String>,
    /// Whether values of secrets may still lie there.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) has_secrets: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) exit_code: Option<i64>,
    /// Since when the group has ended and its exit code is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing_since: Option<Timestamp>,
}

impl Reading {
    /// What is remembered; nothing where it cannot be read.
    pub(super) fn read(kept: Option<&Value>) -> Self {
        kept.and_then(|kept| serde_json::from_value(kept.clone()).ok())
            .unwrap_or_default()
    }

    /// For the journal.
    pub(super) fn kept(&self) -> Option<Value> {
        self.volume.as_ref()?;
        serde_json::to_value(self).ok()
    }

    /// The job's files are there.
    pub(super) fn at(&mut self, volume: &ResourceRef, folder: &FilePath) {
        self.volume = Some(volume.to_string());
        self.folder = Some(folder.to_string());
    }

    /// The volume and the folder; `None` for a job without a script.
    pub(super) fn place(&self) -> Option<(ResourceRef, FilePath)> {
        let volume = self.volume.as_deref()?.parse().ok()?;
        let folder = FilePath::parse(self.folder.as_deref()?).ok()?;
        Some((volume, folder))
    }

    /// Takes what a group tells.
    pub(super) fn learn(&mut self, job: &Job) {
        let newer = |old: &mut Option<String>, new: Option<&String>| {
            if let Some(new) = new {
                *old = Some(new.clone());
            }
        };
        newer(&mut self.name, job.name.as_ref());
        newer(&mut self.instance_type, job.instance_type.as_ref());
        newer(&mut self.node, job.node_names.first());
        self.started_at = job.started_at.or(self.started_at);
        self.finished_at = job.finished_at.or(self.finished_at);
        self.exit_code = job.exit_code.or(self.exit_code);
    }

    /// The exit code of an ended group is not there. Whether it may still come.
    ///
    /// A group that never ran wrote nothing.
    pub(super) fn may_come(&mut self, now: Timestamp) -> bool {
        let has_long_ended = self
            .finished_at
            .is_some_and(|finished| now.duration_since(finished) >= LONG_ENDED);
        let since = *self.missing_since.get_or_insert(now);
        self.started_at.is_some()
            && !has_long_ended
            && now.duration_since(since).abs() < LATE_BY_AT_MOST
    }

    /// The record of a job whose group has gone, by the exit code that it left.
    pub(super) fn gone(
        &self,
        job_ref: &ResourceRef,
        code: i64,
        cancel_requested_at: Option<Timestamp>,
        offers: &[Offer],
    ) -> Job {
        let word = if code == 0 { "succeeded" } else { "failed" };
        let folded = state::fold(Some(word), self.finished_at, cancel_requested_at);
        let mut job = Job::new(job_ref.clone(), job_ref.id(), folded.state);
        job.flags.insert(Flag::Gone);
        job.message =
            Some("no longer known to the provider; its script kept the exit code".to_owned());
        job.exit_code = (folded.state != State::Cancelled).then_some(code);
        job.name.clone_from(&self.name);
        job.started_at = self.started_at;
        job.finished_at = self.finished_at;
        job.duration_s = match (self.started_at, self.finished_at) {
            (Some(start), Some(end)) if end >= start => Some(end.duration_since(start).as_secs()),
            (_, _) => None,
        };
        job.node_names = self.node.iter().cloned().collect();
        job.instance_type.clone_from(&self.instance_type);
        let cluster = match job_ref.path.as_slice() {
            [_, cluster, _] => Some(cluster.as_str()),
            _ => None,
        };
        job.gpu = self
            .instance_type
            .as_deref()
            .and_then(|name| catalogue::gpu_of(offers, cluster, name));
        job.reading = Self {
            exit_code: Some(code),
            ..self.clone()
        }
        .kept();
        job
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn job_ref() -> ResourceRef {
        ResourceRef::new("para", ["k8r2wq", "NC-N30", "p6vd2hcn"])
    }

    fn reading() -> Reading {
        let mut reading = Reading {
            started_at: Some(at(100)),
            instance_type: Some("n30.xlarge".to_owned()),
            ..Reading::default()
        };
        let volume = ResourceRef::new("para", ["k8r2wq", "NC-N30", "x7m4tzb9"]);
        reading.at(&volume, &FilePath::parse(".gpujob/m").unwrap());
        reading
    }

    #[test]
    fn it_is_kept_and_read_again() {
        let reading = Reading {
            has_secrets: true,
            exit_code: Some(3),
            missing_since: Some(at(5)),
            ..reading()
        };
        let kept = reading.kept().unwrap();
        assert_eq!(Reading::read(Some(&kept)), reading);
        let (volume, folder) = reading.place().unwrap();
        assert_eq!(volume.to_string(), "para/k8r2wq/NC-N30/x7m4tzb9");
        assert_eq!(folder.to_string(), "/.gpujob/m");
    }

    #[rstest]
    #[case::nothing(None, None)]
    #[case::of_an_older_version(Some(json!({"exit_code": 7})), Some(7))]
    #[case::of_a_newer_version(Some(json!({"exit_code": 7, "news": []})), Some(7))]
    #[case::unreadable(Some(json!([1])), None)]
    fn what_others_kept_is_read_as_far_as_it_goes(
        #[case] kept: Option<Value>,
        #[case] code: Option<i64>,
    ) {
        let reading = Reading::read(kept.as_ref());
        assert_eq!((reading.exit_code, reading.place()), (code, None));
        assert_eq!(reading.kept(), None);
    }

    #[test]
    fn a_file_is_late_by_ten_seconds_at_most() {
        let mut late = Reading {
            finished_at: Some(at(200)),
            ..reading()
        };
        assert!(late.may_come(at(201)));
        assert!(late.may_come(at(210)));
        assert!(!late.may_come(at(211)));
        let mut long_ended = Reading {
            finished_at: Some(at(200)),
            ..reading()
        };
        assert!(!long_ended.may_come(at(260)));
        let mut never_ran = Reading {
            started_at: None,
            ..reading()
        };
        assert!(!never_ran.may_come(at(201)));
    }

    #[rstest]
    #[case(0, None, State::Succeeded, Some(0))]
    #[case(3, None, State::Failed, Some(3))]
    #[case(0, Some(at(150)), State::Succeeded, Some(0))]
    #[case(143, Some(at(150)), State::Cancelled, None)]
    fn a_job_that_has_gone_ended_as_its_script_wrote(
        #[case] code: i64,
        #[case] cancelled: Option<Timestamp>,
        #[case] state: State,
        #[case] told: Option<i64>,
    ) {
        let job = reading().gone(&job_ref(), code, cancelled, &[]);
        assert_eq!(
            (job.state, job.terminal, job.exit_code),
            (state, true, told)
        );
        assert!(job.flags.contains(&Flag::Gone));
        assert_eq!(job.instance_type.as_deref(), Some("n30.xlarge"));
    }
}

//! The nodes of a job: listed, their logs and events, deleted (gongji.md §5).

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use serde_json::{Value, json};

use super::super::job::{Ending, Node, NodeStatus, Run};
use super::super::query::Page;
use super::super::reply::{Data, Refusal};
use super::super::show::{self, Form};
use super::super::switches::Switches;
use super::super::wire::DeleteNode;
use super::{Call, State};

/// An answer holds at most so much of a log's end.
const LONGEST_LOG: u64 = 16 * 1024 * 1024;

const NODE_STATUSES: [&str; 6] = [
    "Pending",
    "Running",
    "Succeeded",
    "Failed",
    "End",
    "Unknown",
];

impl State {
    pub(super) fn list_nodes(&mut self, call: &Call<'_>) -> Result<Value, Refusal> {
        let id = call.query.id("task_id")?;
        let statuses = call.query.words("status", &NODE_STATUSES)?;
        let page = Page::read(call.query)?;
        let turn = self
            .requests
            .get("deployment/task/points")
            .copied()
            .unwrap_or_default()
            .saturating_sub(1);
        let form = Form::of(self.switches.number_forms, turn);
        let job = self.known(id, call)?;
        let is_hidden = self.switches.hide_finished_nodes && job.phase.is_over();
        let books = self.books(call);
        let rows: Vec<Value> = job
            .nodes
            .iter()
            .filter(|_| !is_hidden)
            .filter(|node| {
                statuses
                    .as_ref()
                    .is_none_or(|statuses| statuses.contains(&node.status.word()))
            })
            .map(|node| show::node(job, node, &books, call.now, form))
            .collect();
        Ok(json!({ "count": rows.len(), "results": page.of(rows) }))
    }

    pub(super) fn node_log(&mut self, call: &Call<'_>) -> Result<Data, Refusal> {
        let (task, point, service) = (
            call.query.id("task_id")?,
            call.query.id("point_id")?,
            call.query.id("service_id")?,
        );
        let job = self.known(task, call)?;
        let node = job
            .nodes
            .iter()
            .find(|node| node.id == point)
            .ok_or_else(Refusal::not_found)?;
        let position = job
            .service_ids
            .iter()
            .position(|id| *id == service)
            .ok_or_else(Refusal::not_found)?;
        let run = node
            .containers
            .get(position)
            .and_then(|container| container.run.as_ref());
        let logs = match run {
            // Nothing was started yet: there is no log.
            None => return Ok(Data::Null),
            Some(Run::Played(played, _)) => played.log.clone(),
            Some(Run::Process(process)) => tail(&process.log_path(), &self.switches)
                .map_err(|error| Refusal::rule(error.to_string()))?,
        };
        Ok(json!({ "logs": logs }).into())
    }

    fn node(&self, id: i64, call: &Call<'_>) -> Result<&Node, Refusal> {
        self.jobs
            .iter()
            .filter(|job| job.tenant == call.tenant)
            .flat_map(|job| &job.nodes)
            .find(|node| node.id == id)
            .ok_or_else(Refusal::not_found)
    }

    pub(super) fn node_events(&mut self, call: &Call<'_>) -> Result<Value, Refusal> {
        let node = self.node(call.query.id("point_id")?, call)?;
        Ok(show::events(node, self.switches.event_order))
    }

    pub(super) fn delete_node(&mut self, call: &Call<'_>) -> Result<Data, Refusal> {
        let wanted: DeleteNode = self.decode(call)?;
        let node = self
            .jobs
            .iter_mut()
            .filter(|job| job.tenant == call.tenant)
            .flat_map(|job| &mut job.nodes)
            .find(|node| node.id == wanted.point_id)
            .ok_or_else(Refusal::not_found)?;
        if !node.status.is_live() {
            return Err(Refusal::rule("the node is over"));
        }
        node.end(
            &Ending {
                status: NodeStatus::End,
                reason: "Killing",
                message: "the node was deleted",
                is_warning: false,
            },
            call.now,
        );
        Ok(Data::Absent)
    }
}

/// Where the part of a log begins that is still kept, of so many bytes.
fn first_kept(length: u64, switches: &Switches) -> u64 {
    let rotated = switches
        .log_rotates_at
        .and_then(|most| length.checked_div(most)?.checked_mul(most));
    let most = switches.log_keeps.unwrap_or(LONGEST_LOG).min(LONGEST_LOG);
    rotated.unwrap_or_default().max(length.saturating_sub(most))
}

/// The part of a log that is kept: whole lines, unless it is from the beginning.
fn tail(path: &Path, switches: &Switches) -> io::Result<String> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        opened => opened?,
    };
    let length = file.metadata()?.len();
    let start = first_kept(length, switches);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(length.saturating_sub(start))
        .read_to_end(&mut bytes)?;
    let torn = bytes
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(bytes.len(), |end| end + 1);
    let torn = if start == 0 { 0 } else { torn };
    let kept = bytes.get(torn..).unwrap_or_default();
    Ok(String::from_utf8_lossy(kept).into_owned())
}

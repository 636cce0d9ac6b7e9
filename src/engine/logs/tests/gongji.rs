use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::fakes::{Seeded, Virtual, Writer, follow, session, state_at};
use crate::http::{Answer, BaseUrl, Signed, Transport, TransportError};
use crate::model::{Job, ResourceRef};
use crate::provider::gongji::{Connection, Gongji, GongjiDialect};
use crate::secret::Secret;
use crate::sign::GongjiSigner;

/// The lines of the first pod; a retry writes the rest.
const FIRST: usize = 80_000;
const ALL: usize = 200_000;

/// The service, with the writer behind it. It keeps so many lines of a pod.
#[derive(Debug)]
struct Service {
    clock: Virtual,
    writer: Arc<Writer>,
    random: Seeded,
    kept: usize,
}

impl Service {
    fn data(&self, target: &str) -> Value {
        let written = self.writer.written(self.clock.elapsed());
        if target.contains("/points?") {
            let pod = |point: i64, name: &str, status: &str| json!({"point_id": point, "name": name, "status": status});
            let mut pods = Vec::new();
            match written {
                0 => {}
                1..=FIRST => pods.push(pod(7, "job-0-aaaaa", "Running")),
                _ => {
                    pods.push(pod(9, "job-0-aaaaa", "Running"));
                    pods.push(pod(7, "job-0-aaaaa", "Failed"));
                }
            }
            return json!({"count": pods.len(), "results": pods});
        }
        if target.contains("/job/detail?") {
            return json!({"task_id": 2_100_457, "status": "Pending"});
        }
        assert!(target.contains("service_id=1"), "{target}");
        let lines = if target.contains("point_id=7") {
            0..written.min(FIRST)
        } else {
            FIRST..written.max(FIRST)
        };
        let from = lines.start.max(lines.end.saturating_sub(self.kept));
        let mut text = String::new();
        for number in from..lines.end {
            text.push_str(&Writer::line(number));
            text.push('\n');
        }
        // While a program runs, its last line may not be whole.
        let runs = if lines.start == 0 {
            written <= FIRST
        } else {
            written < ALL
        };
        if runs && text.len().is_multiple_of(3) {
            text.truncate(text.len().saturating_sub(5));
        }
        json!({ "logs": text })
    }
}

#[async_trait]
impl Transport for Service {
    async fn call(
        &self,
        request: &Signed,
        _limit: Option<Duration>,
    ) -> Result<Answer, TransportError> {
        if let Some(lost) = self.random.loses(5) {
            return Err(lost);
        }
        let data = self.data(&request.template().full_target());
        let body = json!({"code": "0000", "message": "success", "data": data});
        Ok(Answer {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: body.to_string().into(),
        })
    }
}

fn provider(service: Service, clock: Virtual, seed: u64) -> Gongji {
    let token = Secret::new("token-1");
    let signer = GongjiSigner::new(&token, None).unwrap();
    let dialect = GongjiDialect::new(vec![token], false, Arc::new(clock));
    Gongji::new(Connection {
        name: "gongji".to_owned(),
        session: session("gongji", service, signer, dialect, clock, seed),
        base: BaseUrl::parse("https://openapi.suanli.cn").unwrap(),
        region: None,
    })
}

#[tokio::test(start_paused = true)]
async fn each_of_200_000_lines_comes_once_through_resets_rotation_and_a_retry() {
    for seed in 0..2 {
        let clock = Virtual::new();
        let writer = Arc::new(Writer::new(seed, ALL, 900));
        let service = Service {
            clock,
            writer: Arc::clone(&writer),
            random: Seeded::new(seed),
            kept: 70_000,
        };
        let gongji = provider(service, clock, seed);
        let record = |elapsed: Duration| {
            let state = state_at(elapsed, &writer);
            let mut job = Job::new(ResourceRef::new("gongji", ["2100457"]), "2100457", state);
            job.raw = json!({"task_id": 2_100_457, "services": [{"service_id": 1}]});
            job
        };
        let told = follow(&gongji, record, ALL).await;
        assert!(
            told.iter().all(|line| !line.contains("another beginning")),
            "{told:?}"
        );
    }
}

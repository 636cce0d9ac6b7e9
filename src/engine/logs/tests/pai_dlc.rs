use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::json;

use super::fakes::{Seeded, Virtual, Writer, follow, session, state_at};
use crate::http::{Answer, BaseUrl, Signed, Transport, TransportError};
use crate::model::{Job, ResourceRef, Timestamp};
use crate::provider::pai_dlc::{Connection, PaiDlc, PaiDlcDialect, default_endpoints};
use crate::secret::Secret;
use crate::sign::{AccessKey, Acs3};

/// The lines of the first incarnation; the next writes the rest.
const FIRST: usize = 80_000;
const ALL: usize = 200_000;

/// What was written can be read so much later.
const DELAY: Duration = Duration::from_secs(3);

/// The service, with the writer behind it.
#[derive(Debug)]
struct Service {
    clock: Virtual,
    writer: Arc<Writer>,
    random: Seeded,
    keeps_newest: bool,
}

impl Service {
    fn lines(&self, target: &str) -> Vec<String> {
        let value = |name: &str| {
            let (_, rest) = target.split_once(&format!("{name}=")).unwrap();
            rest.split('&').next().unwrap().replace("%3A", ":")
        };
        let second = |name: &str| value(name).parse::<Timestamp>().unwrap().as_second();
        let (start, end) = (second("StartTime"), second("EndTime"));
        let most: usize = value("MaxLines").parse().unwrap();
        let visible = self
            .writer
            .written(self.clock.elapsed().saturating_sub(DELAY));
        let own = if target.contains("PodUid=one") {
            0..visible.min(FIRST)
        } else {
            FIRST..visible.max(FIRST)
        };
        // The writer's first second is a whole one.
        let base = self.clock.at(Duration::ZERO).as_second();
        let before = |second: i64| match u64::try_from((second - base) * 1_000) {
            Ok(0) | Err(_) => 0,
            Ok(moment) => self.writer.written(Duration::from_millis(moment - 1)),
        };
        let from = before(start).max(own.start);
        let to = before(end + 1).min(own.end).max(from);
        let numbers = if self.keeps_newest {
            to.saturating_sub(most).max(from)..to
        } else {
            from..to.min(from + most)
        };
        numbers.map(Writer::line).collect()
    }
}

#[async_trait]
impl Transport for Service {
    async fn call(
        &self,
        request: &Signed,
        _limit: Option<Duration>,
    ) -> Result<Answer, TransportError> {
        if let Some(lost) = self.random.loses(6) {
            return Err(lost);
        }
        let target = request.template().full_target();
        let body = match request.template().operation {
            "GetPodLogs" => json!({"Logs": self.lines(&target)}),
            "GetJobEvents" | "GetPodEvents" => json!({"Events": []}),
            _ => json!({"JobId": "dlc1", "Status": "Queuing"}),
        };
        let mut headers = HeaderMap::new();
        headers.insert(
            http::header::CONTENT_TYPE,
            HeaderValue::from_static("application/json;charset=utf-8"),
        );
        Ok(Answer {
            status: StatusCode::OK,
            headers,
            body: body.to_string().into(),
        })
    }
}

fn provider(service: Service, clock: Virtual, seed: u64) -> PaiDlc {
    let signer = Acs3::new(&AccessKey {
        id: "LTAI5tEXAMPLE".to_owned(),
        secret: Secret::new("hunter2"),
        token: None,
    })
    .unwrap();
    let (dlc, aiworkspace) = default_endpoints("cn-hangzhou");
    PaiDlc::new(Connection {
        name: "pai-dlc".to_owned(),
        session: session("pai-dlc", service, signer, PaiDlcDialect, clock, seed),
        dlc: BaseUrl::parse(&dlc).unwrap(),
        aiworkspace: BaseUrl::parse(&aiworkspace).unwrap(),
        region: "cn-hangzhou".to_owned(),
        workspace: Some("310042".to_owned()),
    })
}

#[tokio::test(start_paused = true)]
async fn each_of_200_000_lines_comes_once_through_resets_windows_and_a_restart() {
    for seed in 0..2 {
        let clock = Virtual::new();
        let writer = Arc::new(Writer::new(seed, ALL, 900));
        let service = Service {
            clock,
            writer: Arc::clone(&writer),
            random: Seeded::new(seed),
            keeps_newest: seed == 0,
        };
        let pai = provider(service, clock, seed);
        let record = |elapsed: Duration| {
            let state = state_at(elapsed, &writer);
            let job_ref = ResourceRef::new("pai-dlc", ["cn-hangzhou", "dlc1"]);
            let mut job = Job::new(job_ref, "dlc1", state);
            job.created_at = Some(clock.at(Duration::ZERO));
            let pod = |uid: &str| json!({"PodId": "dlc1-master-0", "PodUid": uid});
            job.raw = match writer.written(elapsed) {
                0 => json!({"JobId": "dlc1"}),
                1..=FIRST => json!({"JobId": "dlc1", "Pods": [pod("one")]}),
                _ => {
                    let mut present = pod("two");
                    present["HistoryPods"] = json!([pod("one")]);
                    json!({"JobId": "dlc1", "Pods": [present]})
                }
            };
            job
        };
        let told = follow(&pai, record, ALL).await;
        assert!(
            told.iter().all(|line| !line.contains("missing")),
            "{told:?}"
        );
    }
}

//! Generated jobs: wide, odd, and the same ones every time.

use std::collections::BTreeMap;

use fastrand::Rng;
use gpujob::model::Backend;
use gpujob::provider::{Creation, VolumeRequest};
use gpujob::secret::Secret;
use serde_json::{Map, Value, json};

use crate::contract::Bench;

pub(super) const REGISTRY_PASSWORD: &str = "r3gistry-p4ss'word";

/// A job as a document, with the values of its secrets.
pub(super) struct Generated {
    pub(super) document: Value,
    pub(super) secrets: BTreeMap<String, Secret>,
}

/// Makes jobs that a backend can mostly run.
pub(super) struct Generator {
    backend: Backend,
    random: Rng,
    /// Sources that can be mounted in the present sandbox.
    volumes: Vec<String>,
}

/// Fields that must have been compared several times.
pub(super) fn fields(backend: Backend) -> &'static [&'static str] {
    match backend {
        Backend::Paracloud => &[
            "command",
            "description",
            "env",
            "labels",
            "mounts",
            "name",
            "ports",
            "resources",
            "secrets",
            "timeout",
        ],
        Backend::Cyclecloud => &[
            "command",
            "description",
            "env",
            "estimate",
            "labels",
            "mounts",
            "name",
            "nodes",
            "resources",
            "script",
            "spot",
            "timeout",
            "workdir",
        ],
        Backend::Gongji => &[
            "array",
            "command",
            "env",
            "mounts",
            "name",
            "ports",
            "provider_options",
            "registry_auth",
            "resources",
            "retries",
            "script",
            "secrets",
            "spot",
            "timeout",
            "workdir",
        ],
        Backend::PaiDlc => &[
            "command",
            "description",
            "env",
            "framework",
            "grace",
            "labels",
            "mounts",
            "name",
            "nodes",
            "placement",
            "priority",
            "provider_options",
            "registry_auth",
            "resources",
            "script",
            "secrets",
            "spot",
            "timeout",
            "workdir",
        ],
    }
}

/// Texts that quoting, encoding and escaping have to survive.
const ODD: [&str; 20] = [
    "plain",
    "two words",
    "  edges  ",
    "",
    "it's",
    "\"double\"",
    "back\\slash",
    "$HOME ${PATH} `id` $(id)",
    "a=b",
    "--flag=v",
    "-",
    "*.[ch]?",
    "a;b|c&d>e<f",
    "#no comment",
    "100%25 %s",
    "数据 é ✓ 🚀",
    "tab\there",
    "line\nbreak",
    "~/x:{1..3}!",
    "</script>&amp;\u{2028}",
];

const SAFE: [&str; 8] = [
    "python",
    "/data/train.py",
    "--epochs",
    "3",
    "lr=3e-5",
    "a,b:c",
    "x@y",
    "50%",
];

impl Generator {
    pub(super) fn new(backend: Backend, seed: u64) -> Self {
        Self {
            backend,
            random: Rng::with_seed(seed),
            volumes: Vec::new(),
        }
    }

    /// Makes what jobs mount in a fresh sandbox.
    pub(super) async fn prepare(&mut self, bench: &Bench) {
        self.volumes = match self.backend {
            Backend::Paracloud => vec![create(bench, Some("NC-N30"), &[]).await],
            Backend::Cyclecloud => vec![
                "nfs://10.20.0.4/exports/results".to_owned(),
                "nfs://10.20.0.9/exports/sets".to_owned(),
            ],
            Backend::Gongji => vec!["object:71".to_owned(), "share:72".to_owned()],
            Backend::PaiDlc => {
                let uri = (
                    "uri",
                    "oss://suite.oss-cn-hangzhou-internal.aliyuncs.com/data/",
                );
                vec![
                    format!("dataset:{}", create(bench, None, &[uri]).await),
                    "oss://bucket.oss-cn-hangzhou-internal.aliyuncs.com/sets/".to_owned(),
                    "nas://0abc.cn-hangzhou.nas.aliyuncs.com/share".to_owned(),
                ]
            }
        };
    }

    /// The next job.
    pub(super) fn next(&mut self) -> Generated {
        let mut job = Map::new();
        let mut secrets = BTreeMap::new();
        self.program(&mut job);
        self.common(&mut job);
        match self.backend {
            Backend::Paracloud => self.paracloud(&mut job),
            Backend::Cyclecloud => self.cyclecloud(&mut job),
            Backend::Gongji => self.gongji(&mut job),
            Backend::PaiDlc => self.pai_dlc(&mut job),
        }
        if self.backend != Backend::Cyclecloud && self.chance(4) {
            let names = ["TOKEN_A", "TOKEN_B"];
            let count = self.random.usize(1..=2);
            for name in &names[..count] {
                let odd = if self.backend == Backend::Paracloud {
                    ""
                } else {
                    "'\"& ü"
                };
                let value = format!("s3cret-{}{odd}-{name}", self.random.u32(..));
                secrets.insert((*name).to_owned(), Secret::new(value));
            }
            job.insert("secrets".to_owned(), json!(names[..count]));
        }
        Generated {
            document: Value::Object(job),
            secrets,
        }
    }

    fn chance(&mut self, one_in: u32) -> bool {
        self.random.u32(..one_in) == 0
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.random.usize(..of.len())].clone()
    }

    /// A text that may hold anything a program takes.
    fn text(&mut self) -> String {
        match self.backend {
            Backend::Paracloud => self.pick(&SAFE).to_owned(),
            Backend::Cyclecloud | Backend::Gongji | Backend::PaiDlc => {
                let count = self.random.usize(1..=2);
                (0..count).map(|_| self.pick(&ODD)).collect()
            }
        }
    }

    fn program(&mut self, job: &mut Map<String, Value>) {
        let scripts = self.backend != Backend::Paracloud;
        if scripts && self.chance(4) {
            let text = format!(
                "set -e\necho {}\n'{}'\n",
                self.text(),
                self.text().replace('\'', "")
            );
            job.insert("script".to_owned(), text.into());
            return;
        }
        let count = self.random.usize(0..6);
        let odd = self.backend == Backend::Paracloud && self.chance(3);
        let mut words = vec![
            self.pick(&["python", "/opt/run me.sh", "sh", "./a.out"])
                .to_owned(),
        ];
        words.extend((0..count).map(|_| {
            if odd {
                self.pick(&ODD).to_owned()
            } else {
                self.text()
            }
        }));
        job.insert("command".to_owned(), json!(words));
    }

    fn common(&mut self, job: &mut Map<String, Value>) {
        let mut set = |key: &str, value: Value| {
            job.insert(key.to_owned(), value);
        };
        set("image", self.pick(&["tool:1", "registry.example/team/bert:1.4", "r.example:5000/a/b@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"]).into());
        if !self.chance(4) {
            let names = [
                "bert finetune",
                "训练 任务",
                "a",
                "UPPER_lower.9",
                "it's \"quoted\" & <odd>",
                "-dash-",
                "0123456789012345678901234567890123456789012345678901234567890ab",
            ];
            set("name", self.pick(&names).into());
        }
        if self.chance(2) {
            let count = self.random.usize(1..4);
            let env: Map<String, Value> = (0..count)
                .map(|index| {
                    let value = self.text();
                    let value = match self.backend {
                        Backend::Cyclecloud => value.replace('\n', " "),
                        Backend::Paracloud | Backend::Gongji | Backend::PaiDlc => value,
                    };
                    (
                        format!("{}_{index}", self.pick(&["LR", "_x", "Path9"])),
                        value.into(),
                    )
                })
                .collect();
            set("env", Value::Object(env));
        }
        if !self.chance(3) {
            set(
                "timeout",
                self.pick(&["90s", "45m", "2h", "1d12h", "1:30:01"]).into(),
            );
        }
        if self.chance(4) {
            set("description", self.pick(&ODD[5..16]).into());
        }
        if self.chance(3) {
            set(
                "labels",
                json!({"team": self.pick(&["vision", "自然 语言", "a/b c"]), "run": format!("{}", self.random.u8(..))}),
            );
        }
        if self.chance(5) {
            set("estimate", "20m".into());
        }
        if self.chance(6) {
            set("start_timeout", "10m".into());
        }
    }

    fn mounts(&mut self, job: &mut Map<String, Value>, can_be_readonly: bool) {
        if !self.chance(3) {
            return;
        }
        let mut volumes = self.volumes.clone();
        self.random.shuffle(&mut volumes);
        let count = self.random.usize(1..=volumes.len());
        let mounts: Vec<Value> = volumes[..count]
            .iter()
            .enumerate()
            .map(|(index, source)| {
                let path = format!("{}{index}", self.pick(&["/data", "/mnt/a-b/c_d"]));
                match can_be_readonly && self.chance(2) {
                    true => json!({"source": source, "path": path, "readonly": true}),
                    false => json!({"source": source, "path": path}),
                }
            })
            .collect();
        job.insert("mounts".to_owned(), mounts.into());
    }

    fn workdir(&mut self, job: &mut Map<String, Value>) {
        if self.chance(4) {
            let folder = self.pick(&["/work", "/work dir/it's", "/数据"]);
            job.insert("workdir".to_owned(), folder.into());
        }
    }

    fn registry(&mut self, job: &mut Map<String, Value>) {
        if self.chance(5) {
            let login = json!({"username": "robot$team", "password": {"env": "REGISTRY_PASSWORD"}});
            job.insert("registry_auth".to_owned(), login);
        }
    }

    fn paracloud(&mut self, job: &mut Map<String, Value>) {
        let resources = [
            json!({"gpu": {"model": "RTX3090", "count": 1}}),
            json!({"gpu": {"model": "RTX3090", "count": 2}, "cpu": 8, "memory": "100GiB"}),
            json!({"gpu": {"model": "A100", "count": 1, "memory": "40GiB"}, "arch": "arm64"}),
            json!({"instance_type": "n40.xlarge"}),
            json!({"instance_type": "NC-N30/n30.xlarge"}),
            json!({"cpu": 16}),
        ];
        self.mounts(job, false);
        // The volume is in one cluster, and so is what mounts it.
        let count = if job.contains_key("mounts") {
            2
        } else {
            resources.len()
        };
        job.insert("resources".to_owned(), self.pick(&resources[..count]));
        if self.chance(3) {
            let ports = [
                json!([{"name": "ui", "https": true}]),
                json!([{"name": "web"}, {"name": "api", "https": true}]),
            ];
            job.insert("ports".to_owned(), self.pick(&ports));
        }
    }

    fn cyclecloud(&mut self, job: &mut Map<String, Value>) {
        let resources = [
            json!({"gpu": {"model": "V100", "count": 1}}),
            json!({"gpu": {"model": "A100", "count": 1, "memory": "80GiB"}, "cpu": 20, "memory": "200GiB"}),
            json!({"gpu": {"model": "A10", "count": 1}}),
            json!({"instance_type": "Standard_NC6s_v3"}),
        ];
        job.insert("resources".to_owned(), self.pick(&resources));
        self.mounts(job, true);
        self.workdir(job);
        if self.chance(5) {
            job.insert("spot".to_owned(), true.into());
            job.insert("placement".to_owned(), json!({"queue": "spot"}));
            job.insert(
                "resources".to_owned(),
                json!({"gpu": {"model": "T4", "count": 1}}),
            );
        } else if self.chance(5) {
            job.insert("nodes".to_owned(), 2.into());
            job.insert("resources".to_owned(), resources[0].clone());
        }
        if self.chance(6) {
            job.insert(
                "provider_options".to_owned(),
                json!({"cyclecloud": {"keep": true, "result_dir": "/mnt/results"}}),
            );
        }
    }

    fn gongji(&mut self, job: &mut Map<String, Value>) {
        let resources = [
            json!({"gpu": {"model": "RTX4090", "count": 1}, "cpu": 6, "memory": "30GiB"}),
            json!({"gpu": {"model": "RTX4090", "count": 2}}),
            json!({"gpu": {"model": "V100", "count": 1}, "shm": "16GiB"}),
            json!({"gpu": {"model": "H20", "count": 1}, "disk": "40GiB"}),
            json!({"instance_type": "4090@hebeif-1"}),
            json!({"instance_type": "cpu-16@hebeif-1"}),
        ];
        job.insert("resources".to_owned(), self.pick(&resources));
        if self.chance(10) {
            job.remove("command");
            job.remove("script");
        } else {
            self.workdir(job);
        }
        self.mounts(job, false);
        self.registry(job);
        if self.chance(4) {
            job.insert("retries".to_owned(), self.random.u8(..4).into());
        }
        if self.chance(5) {
            job.insert("spot".to_owned(), true.into());
            job.insert("estimate".to_owned(), "20m".into());
            job.insert("timeout".to_owned(), "2h".into());
        }
        if self.chance(5) {
            job.insert(
                "array".to_owned(),
                json!({"count": self.random.u8(2..4), "parallel": 2, "index": false}),
            );
        } else if self.chance(3) {
            job.insert("ports".to_owned(), json!([{"port": 8080}, {"port": 6006}]));
        }
        if self.chance(5) {
            job.insert(
                "provider_options".to_owned(),
                json!({"gongji": {"weight": 3}, "pai-dlc": {"options": {}}}),
            );
        }
    }

    fn pai_dlc(&mut self, job: &mut Map<String, Value>) {
        if self.chance(3) {
            job.insert("placement".to_owned(), json!({"queue": "quota3c8f5n6p2w9"}));
            job.insert("priority".to_owned(), self.random.u8(1..=9).into());
            job.insert("resources".to_owned(), json!({"gpu": {"model": "Tesla-V100-16G", "count": 1}, "cpu": 7, "memory": "33.5GiB", "shm": "8GiB"}));
        } else {
            let resources = [
                json!({"gpu": {"model": "V100", "count": 1}}),
                json!({"gpu": {"model": "A10", "count": 1}, "disk": "200GiB"}),
                json!({"instance_type": "ecs.gn6v-c8g1.2xlarge"}),
                json!({"cpu": 4, "memory": "8GiB"}),
            ];
            job.insert("resources".to_owned(), self.pick(&resources));
            if self.chance(5) {
                job.insert(
                    "spot".to_owned(),
                    self.pick(&[json!(true), json!({"max_discount": 0.8})]),
                );
            }
        }
        self.workdir(job);
        self.mounts(job, true);
        self.registry(job);
        if self.chance(4) {
            job.insert(
                "framework".to_owned(),
                self.pick(&["pytorch", "tensorflow", "mpi"]).into(),
            );
            if self.chance(2) {
                job.insert("nodes".to_owned(), 2.into());
            }
        }
        if self.chance(5) {
            job.insert("grace".to_owned(), "30s".into());
        }
        if self.chance(4) {
            let options = [
                json!({"thirdparty_libs": ["numpy==1.26", "a b"], "thirdparty_lib_dir": "/root/code"}),
                json!({"settings": {"EnableErrorMonitoringInAIMaster": true}, "restart_policy": "OnFailure"}),
                json!({"accessibility": "PUBLIC", "job_type": "PyTorchJob"}),
            ];
            job.insert(
                "provider_options".to_owned(),
                json!({"pai-dlc": self.pick(&options)}),
            );
        }
    }
}

async fn create(bench: &Bench, cluster: Option<&str>, settings: &[(&str, &str)]) -> String {
    let request = VolumeRequest {
        cluster: cluster.map(str::to_owned),
        name: Some("suite".to_owned()).filter(|_| cluster.is_none()),
        settings: settings
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
        ..VolumeRequest::default()
    };
    match bench.provider.volumes().unwrap().create(&request).await {
        Creation::Accepted(created) => created.volume.id,
        Creation::Refused(error) | Creation::Ambiguous(error) => panic!("{error:?}"),
    }
}

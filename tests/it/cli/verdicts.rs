//! The verdict table: how `submit --follow` ends for every end of a job, on every backend.
//!
//! What is expected comes from the contract, cell by cell: cli.md §6 and §10 ("Codes of jobs"), job-model.md §5
//! (`exit_code`), §6 (states) and §10. PAI-DLC hides exit codes; Gongji, CycleCloud's runner and Paracloud's script mode,
//! without which there is no log to follow, tell them.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::cli::JOB;
use crate::support::environment::TestEnvironment;

const BACKENDS: [&str; 4] = ["paracloud", "cyclecloud", "gongji", "pai-dlc"];

/// One row: what becomes of the job, how to bring it about, and the codes by the contract in the order of [`BACKENDS`].
struct Row {
    what: &'static str,
    play: fn(&World) -> i32,
    codes: [i32; 4],
}

const ROWS: [Row; 11] = [
    Row {
        what: "exits 0",
        play: |world| world.runs(&["true"], &[]),
        codes: [0, 0, 0, 0],
    },
    Row {
        what: "exits 3",
        play: |world| world.runs(&["sh", "-c", "exit 3"], &[]),
        codes: [3, 3, 3, 90],
    },
    Row {
        what: "exits 137",
        play: |world| world.runs(&["sh", "-c", "exit 137"], &[]),
        codes: [137, 137, 137, 90],
    },
    Row {
        // A job's own code inside gpujob's block exits 90 (cli.md §10, "Codes of jobs").
        what: "exits 84",
        play: |world| world.runs(&["sh", "-c", "exit 84"], &[]),
        codes: [90, 90, 90, 90],
    },
    Row {
        what: "is cancelled",
        play: |world| {
            world.meets(|world, record| {
                world.environment.run(&["cancel", ref_of(record)]).expect(0);
            })
        },
        codes: [91, 91, 91, 91],
    },
    Row {
        // Without a cancel on record: Paracloud's `Failed` is a failure, of which the script tells the code, CycleCloud's nodes are gone without a result,
        // Gongji's `Paused` and PAI-DLC's `Stopped` are cancelled by their own word (job-model.md §6).
        what: "is cancelled elsewhere",
        play: |world| {
            world.meets(|world, record| {
                let mut cancel = world.elsewhere(&["cancel", ref_of(record)]);
                assert!(cancel.status().unwrap().success());
            })
        },
        codes: [143, 92, 91, 91],
    },
    Row {
        // `Failed`, and its code is hidden (PAI-DLC), gpujob's own (124 of the runner and the script), or that of the
        // container that was killed (Gongji, gongji.md §5.1: SIGTERM leaves 143).
        what: "times out",
        play: |world| world.runs(&["sleep", "600"], &["--time", "1s"]),
        codes: [90, 90, 143, 90],
    },
    Row {
        // Seen running, then known to nobody; Paracloud's script, which was sent a signal, kept its code all the same.
        what: "vanishes",
        play: |world| world.meets(|world, record| world.is_befallen(record, "vanishes")),
        codes: [143, 92, 92, 92],
    },
    Row {
        // Gongji tells the code of the container that went down with it.
        what: "is on a node that fails",
        play: World::loses_its_node,
        codes: [90, 90, 137, 90],
    },
    Row {
        // A pull that fails for good. On CycleCloud the runner's container tool does it, and ends with its own 125.
        // Gongji and PAI-DLC keep such a job waiting: `--fail-if`.
        what: "cannot pull its image",
        play: World::cannot_pull,
        codes: [90, 125, 90, 90],
    },
    Row {
        what: "gets no resources, --fail-if pending",
        play: |world| {
            world.configure(&json!({ "hold": "pending" }));
            world.runs(&["true"], &["--fail-if", "pending>200ms"])
        },
        codes: [90, 90, 90, 90],
    },
];

fn ref_of(record: &Value) -> &str {
    record["ref"].as_str().unwrap()
}

/// One backend's sandbox, and a home beside that of the environment.
struct World {
    backend: &'static str,
    environment: TestEnvironment,
    elsewhere: tempfile::TempDir,
    /// `submit --follow`, to this backend.
    submit: Vec<String>,
}

impl World {
    fn new(backend: &'static str) -> Self {
        let environment = TestEnvironment::with_sandbox();
        environment.file("job.yaml", JOB);
        let mut submit: Vec<String> = ["submit", "job.yaml", "--follow", "-p", backend]
            .map(str::to_owned)
            .to_vec();
        if backend == "paracloud" {
            let create = [
                "volumes",
                "create",
                "-p",
                backend,
                "--cluster",
                "NC-N40",
                "-q",
            ];
            let volume = environment.run(&create).expect(0);
            submit.push("--set".to_owned());
            submit.push(format!(
                "provider_options.paracloud.script_volume={}",
                volume.stdout.trim()
            ));
        }
        let world = Self {
            backend,
            environment,
            elsewhere: tempfile::TempDir::new().unwrap(),
            submit,
        };
        if backend == "pai-dlc" {
            // Its limits are whole minutes.
            world.configure(&json!({ "minute_seconds": 1.0 }));
        }
        world
    }

    fn configure(&self, settings: &Value) {
        let body = json!({ "backend": self.backend, "settings": settings });
        self.environment.control("configure", &body.to_string());
    }

    /// A run on another machine: without the journal of this one.
    fn elsewhere(&self, arguments: &[&str]) -> Command {
        let mut command = self.environment.command(arguments);
        command
            .env("HOME", self.elsewhere.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// `submit --follow` with more flags, of a command.
    fn submit<'a>(&'a self, flags: &[&'a str], command: &[&'a str]) -> Vec<&'a str> {
        let submit: Vec<&str> = self.submit.iter().map(String::as_str).collect();
        [&submit, flags, &["--"], command].concat()
    }

    fn runs(&self, command: &[&str], flags: &[&str]) -> i32 {
        let run = self.environment.run(&self.submit(flags, command));
        self.judge(run.code, &run.stderr)
    }

    /// `submit --follow` of a job that runs for ever; once it runs, something befalls it.
    fn meets(&self, what: impl Fn(&Self, &Value)) -> i32 {
        let submit = self.submit(&["-o", "ndjson"], &["sleep", "600"]);
        let mut command = self.environment.command(&submit);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        self.befalls(command.spawn().unwrap(), what)
    }

    /// Reads changes until the job runs, lets something befall it, and gives the code in the end.
    fn befalls(&self, mut child: Child, what: impl Fn(&Self, &Value)) -> i32 {
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let record = loop {
            let Some(line) = lines.next() else {
                let output = child.wait_with_output().unwrap();
                panic!(
                    "{}: {}",
                    self.backend,
                    String::from_utf8_lossy(&output.stderr)
                );
            };
            let record: Value = serde_json::from_str(&line.unwrap()).unwrap();
            if record["state"] == "running" {
                break record;
            }
        };
        what(self, &record);
        // Whatever comes is read, so that the child never stands before a full pipe.
        let rest: Vec<String> = lines.map_while(Result::ok).collect();
        let output = child.wait_with_output().unwrap();
        let told = [&*String::from_utf8_lossy(&output.stderr), &rest.join(" ")].concat();
        self.judge(output.status.code().unwrap_or(-1), &told)
    }

    /// The code; what was said is shown with it when the test fails.
    fn judge(&self, code: i32, told: &str) -> i32 {
        println!(
            "{} {code}: {}",
            self.backend,
            told.trim().replace('\n', " | ")
        );
        code
    }

    /// A trouble of the sandbox befalls the job.
    fn is_befallen(&self, record: &Value, trouble: &str) {
        let body = json!({
            "backend": self.backend,
            "job": record["provider_id"],
            "trouble": trouble,
        });
        self.environment.control("trouble", &body.to_string());
    }

    /// As each API shows it: on Paracloud `Unknown`, which is no end, and `Failed` once the service gives the node up
    /// (paracloud.md §5.2).
    fn loses_its_node(&self) -> i32 {
        match self.backend {
            "paracloud" => self.configure(&json!({ "lost_s": 10.0 })),
            // A running job has a running node.
            "gongji" => self.configure(&json!({ "node_pending_s": 0.0 })),
            _ => {}
        }
        self.meets(|world, record| {
            world.is_befallen(record, "node-fails");
        })
    }

    fn cannot_pull(&self) -> i32 {
        match self.backend {
            "paracloud" => {
                let failure = json!({ "message": "manifest unknown", "then": "fail" });
                self.configure(&json!({ "pull_failure": failure }));
                self.runs(&["true"], &[])
            }
            _ => self.runs(
                &["true"],
                &[
                    "--image",
                    "gpujob.invalid/tool:1",
                    "--fail-if",
                    "reason=*ImagePull*",
                ],
            ),
        }
    }
}

#[test]
fn every_end_of_a_job_ends_the_command_as_the_contract_says() {
    let columns: Vec<Vec<i32>> = std::thread::scope(|scope| {
        let threads: Vec<_> = BACKENDS
            .map(|backend| {
                scope.spawn(move || {
                    let codes = ROWS.iter().map(|row| {
                        println!("-- {backend}: {}", row.what);
                        (row.play)(&World::new(backend))
                    });
                    codes.collect()
                })
            })
            .into_iter()
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let mut table = format!("{:<40}", "a job that …");
    for backend in BACKENDS {
        write!(table, "{backend:>12}").unwrap();
    }
    let mut wrong = Vec::new();
    for (place, row) in ROWS.iter().enumerate() {
        write!(table, "\n{:<40}", row.what).unwrap();
        for ((backend, column), expected) in BACKENDS.iter().zip(&columns).zip(row.codes) {
            let code = column[place];
            write!(table, "{code:>12}").unwrap();
            if code != expected {
                wrong.push(format!("{} on {backend}: {code}, not {expected}", row.what));
            }
        }
    }
    println!("{table}");
    assert!(wrong.is_empty(), "{table}\n{wrong:#?}");
}

/// The job ends when the test says so; the polls between that and the end of the command are counted.
#[test]
fn an_end_is_noticed_by_the_next_poll() {
    for backend in BACKENDS {
        let world = World::new(backend);
        let go = world.environment.home().join("go");
        let script = format!("until [ -e {} ]; do sleep 0.01; done", go.display());
        let submit = [
            "submit", "job.yaml", "-p", backend, "--wait", "-o", "ndjson", "--poll", "400ms", "--",
            "sh", "-c", &script,
        ];
        let mut command = world.environment.command(&submit);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let before = std::cell::Cell::new(0);
        let code = world.befalls(command.spawn().unwrap(), |world, _| {
            std::fs::write(&go, "").unwrap();
            before.set(world.polls());
        });
        let polls = world.polls() - before.get();
        println!("{backend}: {polls} polls after the end");
        assert_eq!(code, 0, "{backend}");
        // One that sees the end; one may have been on its way. Gongji reads nodes beside the job.
        assert!((1..=2).contains(&polls), "{backend}: {polls} polls");
    }
}

impl World {
    /// Requests that read how jobs are.
    fn polls(&self) -> u64 {
        let requests = self.environment.requests(self.backend);
        let reads = [
            "GetContainerGroup",
            "ListContainerGroups",
            "nodes",
            "task/job/detail",
            "GetJob",
            "ListJobs",
        ];
        let counted = requests
            .iter()
            .filter(|(name, _)| reads.contains(&name.as_str()));
        let counts = counted.filter_map(|(_, count)| count.as_u64());
        counts.sum()
    }
}

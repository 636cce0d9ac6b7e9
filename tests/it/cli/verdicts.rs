//! The verdict table: how `submit --wait` ends for every end of a job, on every backend.
//!
//! What is expected comes from the contract, cell by cell: cli.md §6 and §10 ("Codes of jobs"), job-model.md §5
//! (`exit_code`), §6 (states) and §10. Paracloud and PAI-DLC hide exit codes; Gongji and CycleCloud's runner tell them.

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
        codes: [90, 3, 3, 90],
    },
    Row {
        what: "exits 137",
        play: |world| world.runs(&["sh", "-c", "exit 137"], &[]),
        codes: [90, 137, 137, 90],
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
        // Without a cancel on record: Paracloud's `Failed` is a failure, CycleCloud's nodes are gone without a result,
        // Gongji's `Paused` and PAI-DLC's `Stopped` are cancelled by their own word (job-model.md §6).
        what: "is cancelled elsewhere",
        play: |world| {
            world.meets(|world, record| {
                let mut cancel = world.elsewhere(&["cancel", ref_of(record)]);
                assert!(cancel.status().unwrap().success());
            })
        },
        codes: [90, 92, 91, 91],
    },
    Row {
        // `Failed`, and its code is hidden (Paracloud, PAI-DLC), gpujob's own (the runner's 124), or that of the
        // container that was killed (Gongji, gongji.md §5.1: SIGTERM leaves 143).
        what: "times out",
        play: |world| world.runs(&["sleep", "600"], &["--time", "1s"]),
        codes: [90, 90, 143, 90],
    },
    Row {
        // Seen, then known to nobody; watched from a machine that did not submit it, since for 15 s after its create a
        // job that is missing counts as pending (job-model.md §6).
        what: "vanishes",
        play: World::vanishes,
        codes: [92, 92, 92, 92],
    },
    Row {
        what: "is on a node that fails",
        play: World::loses_its_node,
        codes: [90, 90, 90, 90],
    },
    Row {
        // A pull that fails for good. CycleCloud pulls nothing: the runner's container does (n/a). Gongji and PAI-DLC
        // keep such a job waiting: `--fail-if`.
        what: "cannot pull its image",
        play: World::cannot_pull,
        codes: [90, NOT_APPLICABLE, 90, 90],
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

/// What a backend's contract does not know.
const NOT_APPLICABLE: i32 = -2;

/// One backend's sandbox, and a home beside that of the environment.
struct World {
    backend: &'static str,
    environment: TestEnvironment,
    elsewhere: tempfile::TempDir,
}

impl World {
    fn new(backend: &'static str) -> Self {
        let environment = TestEnvironment::with_sandbox();
        environment.file("job.yaml", JOB);
        let world = Self {
            backend,
            environment,
            elsewhere: tempfile::TempDir::new().unwrap(),
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

    /// `submit --wait` of a command, with more flags.
    fn runs(&self, command: &[&str], flags: &[&str]) -> i32 {
        let submit = ["submit", "job.yaml", "-p", self.backend, "--wait"];
        let run = self
            .environment
            .run(&[&submit, flags, &["--"], command].concat());
        self.judge(run.code, &run.stderr)
    }

    /// `submit --wait` of a job that runs for ever; once it runs, something befalls it.
    fn meets(&self, what: impl Fn(&Self, &Value)) -> i32 {
        let submit = [
            "submit",
            "job.yaml",
            "-p",
            self.backend,
            "--wait",
            "-o",
            "ndjson",
            "--",
            "sleep",
            "600",
        ];
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

    fn vanishes(&self) -> i32 {
        let submit = [
            "submit",
            "job.yaml",
            "-p",
            self.backend,
            "-q",
            "--",
            "sleep",
            "600",
        ];
        let run = self.environment.run(&submit).expect(0);
        let waiting = self.elsewhere(&["wait", run.stdout.trim(), "-o", "ndjson"]);
        let mut waiting = waiting;
        self.befalls(waiting.spawn().unwrap(), |world, record| {
            // What CycleCloud forgets may come back; a node that is gone does not (job-model.md §6).
            if world.backend == "cyclecloud" {
                let name = record["node_names"][0].as_str().unwrap();
                let node = name.split(' ').next().unwrap();
                world.configure(&json!({ "evict": node }));
            } else {
                let body = json!({ "backend": world.backend });
                world.environment.control("reset", &body.to_string());
            }
        })
    }

    /// As each API shows it: Paracloud's `Unknown` and then `Failed` (§5.2), CycleCloud's node that is ready and then
    /// failed (§5.4), a job of Gongji or PAI-DLC that fails without a code of its program.
    fn loses_its_node(&self) -> i32 {
        if self.backend == "cyclecloud" {
            self.configure(&json!({ "faults": [{ "kind": "flip", "after_s": 60.0 }] }));
            return self.runs(&["sleep", "600"], &[]);
        }
        self.meets(|world, _| match world.backend {
            "paracloud" => {
                world.configure(&json!({ "state_word": "Unknown" }));
                world.configure(&json!({ "state_word": "Failed" }));
            }
            "gongji" => world.configure(&json!({ "outcome_word": "Failed" })),
            _ => world.configure(&json!({ "show_status": { "*": "Failed" } })),
        })
    }

    fn cannot_pull(&self) -> i32 {
        match self.backend {
            "paracloud" => {
                let failure = json!({ "message": "manifest unknown", "then": "fail" });
                self.configure(&json!({ "pull_failure": failure }));
                self.runs(&["true"], &[])
            }
            "cyclecloud" => NOT_APPLICABLE,
            backend => {
                // Where a pull shows: before any pod runs (Gongji), in `EnvPreparing` (PAI-DLC).
                let state = if backend == "gongji" {
                    "pending"
                } else {
                    "starting"
                };
                self.configure(&json!({ "hold": state }));
                self.runs(
                    &["true"],
                    &[
                        "--fail-if",
                        "pending>200ms",
                        "--fail-if",
                        "reason=*ImagePull*",
                    ],
                )
            }
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
            let shown = match code {
                NOT_APPLICABLE => "n/a".to_owned(),
                code => code.to_string(),
            };
            write!(table, "{shown:>12}").unwrap();
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

//! The command with real children, its signals handed in.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rstest::rstest;
use tempfile::TempDir;

use super::*;

struct Bench {
    folder: TempDir,
    surroundings: Surroundings,
    out: Vec<u8>,
    err: Vec<u8>,
}

impl Bench {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let executable = folder.path().join("this-gpujob");
        fs::write(&executable, "#!/bin/sh\necho \"this very gpujob\"\n").unwrap();
        fs::set_permissions(&executable, fs::Permissions::from_mode(0o700)).unwrap();
        let path = std::env::var_os("PATH").unwrap();
        let inherited = [
            ("HTTPS_PROXY", "http://proxy.example:3128"),
            ("no_proxy", "intern.example"),
            ("GPUJOB_PARACLOUD_TOKEN", "the-users-own"),
            ("ALIBABA_CLOUD_SECURITY_TOKEN", "the-users-own"),
            ("XDG_STATE_HOME", "/the/users/own"),
            ("EDITOR", "vi"),
        ];
        let environment = inherited
            .map(|(name, value)| (name.into(), value.into()))
            .into_iter()
            .chain([("PATH".into(), path)])
            .collect();
        Self {
            surroundings: Surroundings {
                directory: folder.path().to_owned(),
                executable,
                environment,
                at_terminal: false,
            },
            folder,
            out: Vec::new(),
            err: Vec::new(),
        }
    }

    async fn run(&mut self, args: SandboxArgs) -> Result<u8> {
        let (_sender, signals) = mpsc::channel(1);
        self.run_with(args, signals).await
    }

    async fn run_with(&mut self, args: SandboxArgs, signals: mpsc::Receiver<Signal>) -> Result<u8> {
        run_in(
            args,
            &self.surroundings,
            signals,
            &mut self.out,
            &mut self.err,
        )
        .await
    }

    /// Runs shell text and gives its code; what it writes to `result` is read by [`Bench::result`].
    async fn shell(&mut self, text: &str) -> u8 {
        self.run(command(&["sh", "-c", text])).await.unwrap()
    }

    fn result(&self) -> String {
        fs::read_to_string(self.folder.path().join("result")).unwrap()
    }
}

fn command(words: &[&str]) -> SandboxArgs {
    SandboxArgs {
        command: words.iter().map(Into::into).collect(),
        ..SandboxArgs::default()
    }
}

#[rstest]
#[case("exit 0", 0)]
#[case("exit 7", 7)]
#[case("kill -KILL $$", 137)]
#[tokio::test]
async fn the_commands_code_is_the_sandboxes(#[case] text: &str, #[case] code: u8) {
    assert_eq!(Bench::new().shell(text).await, code);
}

#[tokio::test]
async fn a_command_that_cannot_be_started_is_named() {
    let mut bench = Bench::new();
    let code = bench.run(command(&["no-such-program-anywhere"])).await;
    assert_eq!(code, Ok(127));
    let said = String::from_utf8(bench.err.clone()).unwrap();
    assert!(said.contains("`no-such-program-anywhere` cannot be started"));
    let plain = bench.folder.path().join("plain");
    fs::write(&plain, "").unwrap();
    assert_eq!(
        bench.run(command(&[plain.to_str().unwrap()])).await,
        Ok(126)
    );
}

#[tokio::test]
async fn the_command_sees_the_sandbox_and_none_of_the_users_accounts() {
    let mut bench = Bench::new();
    bench.shell("env > result").await;
    let result = bench.result();
    let value = |name: &str| {
        let mut lines = result.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
    };
    assert!(
        value("GPUJOB_SANDBOX_URL")
            .unwrap()
            .starts_with("http://127.0.0.1:")
    );
    assert!(
        value("GPUJOB_PARACLOUD_BASE_URL")
            .unwrap()
            .starts_with("http://127.0.0.1:")
    );
    assert!(value("PARA_TOKEN").unwrap().len() > 40);
    assert_eq!(value("EDITOR"), Some("vi"));
    assert_eq!(
        value("NO_PROXY"),
        Some("127.0.0.1,localhost,intern.example")
    );
    assert_eq!(
        value("no_proxy"),
        Some("127.0.0.1,localhost,intern.example")
    );
    assert!(!result.contains("the-users-own") && !result.contains("/the/users/own"));
}

#[tokio::test]
async fn this_very_gpujob_comes_first_and_has_a_configuration_and_state() {
    let mut bench = Bench::new();
    let code = bench
        .shell("gpujob > result && grep -q providers.paracloud \"$GPUJOB_CONFIG\" && ls -d \"$XDG_STATE_HOME\" >> result")
        .await;
    assert_eq!(code, 0);
    let result = bench.result();
    let mut lines = result.lines();
    assert_eq!(lines.next(), Some("this very gpujob"));
    // Torn down with the sandbox.
    assert!(!Path::new(lines.next().unwrap()).exists());
}

#[tokio::test]
async fn signals_are_passed_on_to_the_command() {
    let mut bench = Bench::new();
    let (sender, signals) = mpsc::channel(1);
    let ready = bench.folder.path().join("ready");
    let text = "trap 'exit 42' TERM; touch ready; while :; do sleep 0.01; done";
    let ((), code) = tokio::join!(
        async {
            let start = std::time::Instant::now();
            while !ready.exists() {
                assert!(start.elapsed().as_secs() < 30);
                tokio::task::yield_now().await;
            }
            sender.send(Signal::TERM).await.unwrap();
        },
        bench.run_with(command(&["sh", "-c", text]), signals)
    );
    assert_eq!(code, Ok(42));
}

#[tokio::test]
async fn serving_prints_a_configuration_and_exports_and_ends_with_a_signal() {
    let mut bench = Bench::new();
    let (sender, signals) = mpsc::channel(1);
    sender.send(Signal::INT).await.unwrap();
    let env_file = bench.folder.path().join("env.sh");
    fs::write(&env_file, "old, and open to all").unwrap();
    let args = SandboxArgs {
        env_file: Some(env_file.clone()),
        hold: vec!["paracloud=pending".to_owned()],
        ..SandboxArgs::default()
    };
    assert_eq!(bench.run_with(args, signals).await, Ok(0));
    let out = String::from_utf8(bench.out.clone()).unwrap();
    let exports = fs::read_to_string(&env_file).unwrap();
    let config = out.strip_suffix(&exports).unwrap();
    let table: toml::Table = config.parse().unwrap();
    assert!(table["providers"]["paracloud"]["base-url"].is_str());
    for name in ["GPUJOB_CONFIG", "GPUJOB_SANDBOX_URL", "PARA_TOKEN"] {
        assert!(exports.contains(&format!("export {name}='")), "{exports}");
    }
    let mode = fs::metadata(&env_file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let said = String::from_utf8(bench.err.clone()).unwrap();
    for word in ["test double", "not pulled", "no request leaves"] {
        assert!(said.contains(word), "{said}");
    }
}

#[rstest]
#[case(SandboxArgs { hold: vec!["paracloud".to_owned()], ..SandboxArgs::default() }, "paracloud")]
#[case(SandboxArgs { hold: vec!["nobody=running".to_owned()], ..SandboxArgs::default() }, "nobody")]
#[case(SandboxArgs { speed: Some(-1.0), ..SandboxArgs::default() }, "-1")]
#[tokio::test]
async fn wrong_flags_are_usage_errors(#[case] args: SandboxArgs, #[case] named: &str) {
    let error = Bench::new().run(args).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
    assert!(error.message().contains(named), "{error}");
}

#[tokio::test]
async fn an_env_file_that_cannot_be_written_is_a_configuration_error() {
    let args = SandboxArgs {
        env_file: Some("/no/such/folder/env".into()),
        ..SandboxArgs::default()
    };
    let error = Bench::new().run(args).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Config, "env_file"));
}

//! The words of the program, its environment and its secrets.

use super::*;

#[test]
fn allowed_secrets_travel_as_variables_after_the_others() {
    let spec = JobSpec {
        env: [("ZED".to_owned(), "1".to_owned())].into(),
        secrets: vec!["TOKEN".to_owned()],
        ..spec()
    };
    let policy = Policy {
        allow_secret_exposure: true,
        ..Policy::default()
    };
    let tried = try_with(&spec, policy, &survey(), &[("TOKEN", "hunter2")]);
    assert_eq!(
        tried.words(),
        ["env", "ZED=1", "TOKEN=hunter2", "python", "/data/train.py"]
    );
    assert_eq!(tried.plan().secrets, [Secret::new("hunter2")]);
    assert!(!format!("{:?}", tried.assessment()).contains("hunter2"));
}

#[rstest]
#[case(&[("TOKEN", "hunter2 $x")], RefusalCode::UnsupportedValue)]
#[case(&[], RefusalCode::MissingField)]
fn a_secret_without_a_sendable_value_is_refused_and_not_shown(
    #[case] values: &[(&str, &str)],
    #[case] code: RefusalCode,
) {
    let spec = JobSpec {
        secrets: vec!["TOKEN".to_owned()],
        ..spec()
    };
    let policy = Policy {
        allow_secret_exposure: true,
        ..Policy::default()
    };
    let tried = try_with(&spec, policy, &survey(), values);
    assert_eq!(tried.codes(), [(code, "secrets.TOKEN")]);
    assert!(!format!("{:?}", tried.assessment()).contains("hunter2"));
}

#[rstest]
#[case("A=1")]
#[case("-c")]
fn env_would_swallow_such_a_program(#[case] first: &str) {
    let with = JobSpec {
        program: command(&[first, "x"]),
        env: [("K".to_owned(), "v".to_owned())].into(),
        ..spec()
    };
    assert_eq!(
        attempt(&with).codes(),
        [(RefusalCode::ConflictingFields, "command")]
    );
    let without = JobSpec {
        env: BTreeMap::new(),
        ..with
    };
    assert_eq!(attempt(&without).words(), [first, "x"]);
}

#[test]
fn unsafe_words_are_named_or_refused_and_never_quoted() {
    let words = [
        "sh",
        "-c",
        "exit 7; echo $HOME",
        "",
        "$BAT_PORT_ui",
        "$BAT_PORT_tb",
        "数据",
    ];
    let mut spec = JobSpec {
        program: command(&words),
        ports: vec![port("ui", false)],
        ..spec()
    };
    let tried = attempt(&spec);
    assert_eq!(tried.words(), words);
    let notes = tried.notes();
    for word in ["`exit 7; echo $HOME`", "``", "`$BAT_PORT_tb`", "`数据`"] {
        assert!(notes.contains(word), "{word}: {notes}");
    }
    assert!(!notes.contains("`$BAT_PORT_ui`"), "{notes}");
    assert!(notes.contains("a port `tb` that `ports` does not declare"));
    spec.provider_options = options(json!({"strict_argv": true}));
    let tried = attempt(&spec);
    assert_eq!(tried.codes(), [(RefusalCode::UnsupportedValue, "command")]);
}

#[test]
fn an_image_that_a_shell_could_change_is_sent_and_warned_about() {
    let tried = attempt(&JobSpec {
        image: Some("ubuntu;id".to_owned()),
        ..spec()
    });
    assert_eq!(tried.body()["containers"][0]["image"], "ubuntu;id");
    assert!(tried.notes().contains("`ubuntu;id`"));
}

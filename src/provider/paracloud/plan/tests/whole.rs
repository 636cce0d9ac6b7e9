//! The plan as a whole: body, name, namespace and price.

use super::*;

#[test]
fn the_body_is_that_of_the_contract() {
    let tried = attempt(&JobSpec {
        program: command(&["python", "/data/train.py", "--port", "$BAT_PORT_ui"]),
        env: [("EPOCHS".to_owned(), "3".to_owned())].into(),
        ports: vec![port("ui", true)],
        mounts: vec![mount("x7m4tzb9", "/data")],
        ..spec()
    });
    let mut expected = recorded("group-request");
    expected["containers"][0]["name"] = json!(format!("bert-{MARKER}"));
    let plan = tried.plan();
    assert_eq!(
        plan.requests[0].body_bytes(),
        serde_json::to_vec(&expected).unwrap(),
        "{}",
        tried.body()
    );
    assert_eq!(
        plan.requests[0].full_target(),
        "/api/v1beta2/namespaces/k8r2wq/clusters/NC-N30/containerGroups"
    );
    assert_eq!(plan.requests[0].safety, Safety::Once);
    assert_eq!(plan.scope, "paracloud/k8r2wq");
    assert_eq!((plan.nodes, plan.time_limit_s), (1, None));
    assert_eq!(tried.level("env"), Some(Level::Emulated));
    assert_eq!(tried.level("mounts[0]"), Some(Level::Native));
    assert_eq!(tried.level("resources.gpu"), Some(Level::Native));
}

#[test]
fn the_job_of_the_model_is_translated_as_it_says() {
    let tried = attempt(&JobSpec {
        name: Some("bert finetune".to_owned()),
        program: command(&["python", "/data/train.py", "--epochs", "3"]),
        env: [("LR".to_owned(), "3e-5".to_owned())].into(),
        timeout: Timeout::After(5400),
        mounts: vec![mount("x7m4tzb9", "/data")],
        ..spec()
    });
    assert_eq!(
        tried.words(),
        [
            "timeout",
            "5400",
            "env",
            "LR=3e-5",
            "python",
            "/data/train.py",
            "--epochs",
            "3"
        ]
    );
    assert_eq!(
        tried.body()["containers"][0]["name"],
        format!("bert-finetune-{MARKER}")
    );
    assert_eq!(tried.plan().time_limit_s, Some(5400));
    assert_eq!(tried.level("timeout"), Some(Level::Emulated));
    assert!(tried.notes().contains("kept in gpujob's own records"));
}

#[test]
fn nothing_is_sent_for_what_is_not_asked_for() {
    let body = attempt(&spec()).body();
    let members: Vec<&String> = body["containers"][0].as_object().unwrap().keys().collect();
    assert_eq!(members, ["name", "image", "command"]);
    assert_eq!(body.as_object().unwrap().len(), 2);
}

#[test]
fn the_longest_name_leaves_room_for_the_marker() {
    let tried = attempt(&JobSpec {
        name: Some("x".repeat(63)),
        ..spec()
    });
    let body = tried.body();
    let name = body["containers"][0]["name"].as_str().unwrap();
    assert_eq!(name.len(), 63);
    assert_eq!(Marker::from_suffix(name).unwrap().as_str(), MARKER);
}

#[test]
fn a_block_for_another_provider_is_noted() {
    let tried = attempt(&JobSpec {
        provider_options: [(Backend::Gongji, Map::new())].into(),
        ..spec()
    });
    tried.plan();
    assert!(tried.notes().contains("provider_options.gongji"));
}

#[test]
fn no_namespace_is_a_matter_of_configuration() {
    let tried = try_with(
        &spec(),
        Policy::default(),
        &Survey {
            namespace: None,
            ..survey()
        },
        &[],
    );
    assert_eq!(tried.assessment().refusals[0].kind, Kind::Config);
}

#[rstest]
#[case(1_000_000, None, true)]
#[case(999_999, None, false)]
#[case(1_000_000, Some(2_000_000), true)]
#[case(1_000_000, Some(1_999_999), false)]
fn a_price_from_elsewhere_is_compared(
    #[case] max_price: i128,
    #[case] max_cost: Option<i128>,
    #[case] fits: bool,
) {
    let mut survey = survey();
    for offer in &mut survey.offers {
        offer.price_per_hour = Some(Money::from_micros(1_000_000, "CNY"));
    }
    let spec = JobSpec {
        max_price: Some(Money::from_micros(max_price, "CNY")),
        max_cost: max_cost.map(|micros| Money::from_micros(micros, "CNY")),
        timeout: Timeout::After(7200),
        ..spec()
    };
    let tried = try_with(&spec, Policy::default(), &survey, &[]);
    assert_eq!(tried.result.is_ok(), fits, "{:?}", tried.codes());
}

//! What befalls groups while they run, and images that cannot be pulled (paracloud.md §5.2 and §10).

use super::*;

#[test]
fn an_image_of_an_invalid_registry_stays_pending_or_fails() {
    let bench = Bench::new();
    let container = json!({"name": "job", "image": "gpujob.invalid/x:1", "command": ["true"]});
    let id = bench.submit(&container);
    bench.pass(2);
    bench.service.tick();
    bench.pass(3);
    let status = bench.status(&id);
    assert_eq!(
        (&status["state"], &status["reason"]),
        (&json!("Pending"), &json!("ErrImagePull"))
    );
    assert!(
        status["message"]
            .as_str()
            .unwrap()
            .contains("gpujob.invalid/x:1")
    );
    bench.configure(&json!({"unpullable": "fail"}));
    let id = bench.submit(&container);
    bench.pass(2);
    bench.service.tick();
    bench.pass(3);
    assert_eq!(bench.status(&id)["reason"], "ImagePullFailed");
    assert_eq!(bench.state(&id), "Failed");
}

#[tokio::test]
async fn a_node_that_dies_leaves_its_group_unknown_until_it_is_cancelled() {
    let bench = Bench::new();
    let id = bench.run(&["sleep", "600"]);
    let refused = bench.service.befall(&id, Trouble::NodeFails).unwrap_err();
    assert!(refused.contains("does not run"), "{refused}");
    bench.start(&id);
    bench.service.befall(&id, Trouble::NodeFails).unwrap();
    bench.pass(600);
    let status = bench.status(&id);
    assert_eq!(status["state"], "Unknown");
    assert!(
        status["message"]
            .as_str()
            .unwrap()
            .contains("not responding")
    );
    assert_eq!(bench.cancel(&id), 204);
    assert_eq!(bench.state(&id), "Failed");
}

#[tokio::test]
async fn a_group_whose_node_stays_away_fails_when_the_switch_says_so() {
    let bench = Bench::new();
    bench.configure(&json!({"lost_s": 30.0}));
    let id = bench.run(&["sleep", "600"]);
    bench.start(&id);
    bench.service.befall(&id, Trouble::NodeFails).unwrap();
    bench.pass(29);
    assert_eq!(bench.state(&id), "Unknown");
    bench.pass(2);
    bench.service.tick();
    let status = bench.status(&id);
    assert_eq!(
        (&status["state"], &status["reason"]),
        (&json!("Failed"), &json!("NodeLost"))
    );
}

#[tokio::test]
async fn a_group_that_vanishes_is_neither_found_nor_listed() {
    let bench = Bench::new();
    let id = bench.run(&["sleep", "600"]);
    bench.start(&id);
    // By the name that its client gave, too.
    bench.service.befall("job", Trouble::Vanishes).unwrap();
    assert_eq!(bench.send("GET", &bench.group(&id), "").status, 404);
    let list = bench
        .send("GET", &bench.place("-/containerGroups"), "")
        .body;
    assert_eq!(list["containerGroups"], json!([]));
    for trouble in [Trouble::TimesOut, Trouble::Restarts, Trouble::Vanishes] {
        assert!(bench.service.befall(&id, trouble).is_err());
    }
}

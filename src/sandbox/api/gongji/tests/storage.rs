use serde_json::{Value, json};

use super::bench::Bench;

fn nas(bench: &Bench, query: &str) -> Vec<Value> {
    let answer = bench.get(&format!("storage/nas/v1/list{query}"));
    answer.data()["results"].as_array().unwrap().clone()
}

fn create(bench: &Bench, name: &str) -> i64 {
    let body = json!({ "name": name, "nas_config_id": 301, "total_size": 1 << 30 });
    let answer = bench.post("storage/nas/v1/create", &body);
    assert_eq!(answer.data()["status"], "Creating");
    answer.data()["storage_id"].as_i64().unwrap()
}

#[test]
fn object_storage_and_shared_volumes_are_two_lists_of_one_call() {
    let bench = Bench::new();
    let ids = |query: &str| -> Vec<Value> {
        let answer = bench.get(&format!("storage/get_storage?{query}"));
        let rows = answer.data()["results"].as_array().unwrap();
        rows.iter().map(|row| row["storage_id"].clone()).collect()
    };
    assert_eq!(
        ids("storage_type=Juicefs&status=Activate&page=1&page_size=100"),
        [71]
    );
    assert_eq!(
        ids("storage_type=Juicefs&status=Activate,Unactivated&page=1&page_size=100"),
        [71, 73]
    );
    assert_eq!(ids("storage_type=ShareStorage"), [72]);
    assert_eq!(ids(""), [71, 73]);
    for wrong in ["storage_type=Nas", "page=1", "status=Active"] {
        let answer = bench.get(&format!("storage/get_storage?{wrong}"));
        assert_eq!(answer.refusal(), (200, "C006"), "{wrong}");
    }
}

#[test]
fn a_volume_shows_the_jobs_that_mount_it() {
    let bench = Bench::new();
    bench.configure(&json!({ "hold": "pending" }));
    let mut job = bench.job("true");
    job["services"][0]["share_storage_config"] =
        json!([{ "storage_id": 72, "target_dir": "/data" }]);
    job["services"][0]["nas_storage_config"] =
        json!([{ "storage_id": 5012, "target_dir": "/nas" }]);
    let id = bench.create(&job);
    let answer = bench.get("storage/get_storage?storage_type=ShareStorage");
    let used = &answer.data()["results"][0]["deployments"][0];
    assert_eq!(
        (&used["deployment_id"], &used["target_dir"]),
        (&json!(id), &json!("/data"))
    );
    let row = &nas(&bench, "")[0];
    assert_eq!(row["instance_count"], 1);
    assert_eq!(row["instances"][0]["mount_path"], "/nas");
    let delete = |force: bool| {
        bench.post(
            "storage/nas/v1/delete",
            &json!({ "id": 5012, "force": force }),
        )
    };
    assert_eq!(delete(false).refusal(), (200, "C999"));
    assert_eq!(delete(true).data(), &Value::Null);
}

#[test]
fn a_nas_volume_is_created_used_changed_and_deleted() {
    let bench = Bench::new();
    let offers = bench.get("storage/nas/v1/pre-create");
    assert_eq!(offers.data()["configs"][0]["id"], 301);
    assert_eq!(offers.data()["configs"][0]["display_unit_price"], "0.40");
    let id = create(&bench, "实验数据");
    let of = |id: i64| nas(&bench, &format!("?storage_ids={id}&page=0&page_size=0"));
    let row = of(id)[0].clone();
    assert_eq!(row["status"], "Creating");
    assert_eq!(
        row["region"],
        json!({ "tag": "hebeif-1", "name": "河北一区" })
    );
    assert_eq!(row["used_size"], -1);
    assert_eq!(row["create_time"], "2026-05-10 11:15:02");
    assert_eq!(row["display_unit_price"], "0.40");
    let expand = |size: i64| {
        bench.post(
            "storage/nas/v1/expand",
            &json!({ "id": id, "total_size": size }),
        )
    };
    assert_eq!(expand(1 << 31).refusal(), (200, "C999"));
    bench.pass(2);
    assert_eq!(of(id)[0]["status"], "Active");
    assert_eq!(expand(1 << 30).refusal(), (200, "C006"));
    expand(1 << 31).data();
    bench
        .post(
            "storage/nas/v1/rename",
            &json!({ "id": id, "name": "data" }),
        )
        .data();
    assert_eq!(of(id)[0]["name"], "data");
    assert_eq!(of(id)[0]["total_size"], 1_i64 << 31);
    let delete = json!({ "id": id, "force": false, "reason": "done" });
    bench.post("storage/nas/v1/delete", &delete).data();
    assert_eq!(of(id)[0]["status"], "Deleting");
    assert_eq!(
        bench.post("storage/nas/v1/delete", &delete).refusal(),
        (200, "C999")
    );
    bench.pass(2);
    assert_eq!(of(id).len(), 0);
    assert_eq!(
        bench.post("storage/nas/v1/delete", &delete).refusal(),
        (200, "C007")
    );
}

#[test]
fn wrong_nas_volumes_are_refused() {
    let bench = Bench::new();
    let code = |body: Value| {
        let answer = bench.post("storage/nas/v1/create", &body);
        answer.refusal().1.to_owned()
    };
    let body = |name: &str, config: i64, size: i64| json!({ "name": name, "nas_config_id": config, "total_size": size });
    assert_eq!(code(body("", 301, 1)), "C006");
    assert_eq!(code(body(&"x".repeat(33), 301, 1)), "C006");
    assert_eq!(code(body("x", 301, 0)), "C006");
    assert_eq!(code(body("x", 999, 1)), "C007");
    assert_eq!(code(body("x", 303, 1)), "C999");
    assert_eq!(code(body("x", 302, i64::MAX)), "C999");
    assert_eq!(
        code(json!({ "name": "x", "nas_config_id": "301", "total_size": 1 })),
        "C006"
    );
    let no_force = bench.post("storage/nas/v1/delete", &json!({ "id": 5012 }));
    assert_eq!(no_force.refusal(), (200, "C006"));
}

#[test]
fn nas_volumes_are_filtered_and_summed_up() {
    let bench = Bench::new();
    let id = create(&bench, "second");
    let ids = |query: &str| -> Vec<Value> {
        nas(&bench, query)
            .iter()
            .map(|row| row["storage_id"].clone())
            .collect()
    };
    assert_eq!(ids("?statuses=Creating"), [id]);
    assert_eq!(ids("?statuses=Deleted"), [5012, id]);
    assert_eq!(ids("?regions=beijing-2"), Vec::<Value>::new());
    assert_eq!(ids("?storage_class=nfs-std&page=2&page_size=1"), [id]);
    let summary = bench.get("storage/nas/v1/summary");
    assert_eq!(summary.data()["volume_count"], 2);
    assert_eq!(summary.data()["total_size"], 53_687_091_200_i64 + (1 << 30));
    let words = bench.get("storage/nas/v1/dictionaries");
    assert_eq!(words.data()["regions"].as_array().unwrap().len(), 3);
    assert_eq!(words.data()["storage_classes"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn files_of_a_deleted_volume_are_gone() {
    let bench = Bench::new();
    let mut job = bench.job("ls /nas/ | wc -l | tr -d ' '; touch /nas/x");
    let id = create(&bench, "scratch");
    bench.pass(2);
    let mount = |id: i64| json!([{ "storage_id": id, "target_dir": "/nas" }]);
    for expected in ["0\n", "1\n"] {
        job["services"][0]["nas_storage_config"] = mount(id);
        let ran = bench.run(&job).await;
        assert_eq!(bench.log(ran, &bench.nodes(ran)[0])["logs"], expected);
    }
    bench
        .post(
            "storage/nas/v1/delete",
            &json!({ "id": id, "force": false }),
        )
        .data();
    bench.pass(2);
    job["services"][0]["nas_storage_config"] = mount(id);
    assert_eq!(bench.post("task/job/create", &job).refusal(), (200, "C007"));
}

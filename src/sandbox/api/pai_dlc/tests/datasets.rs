use serde_json::{Value, json};

use super::bench::{Bench, job};

fn dataset(name: &str, uri: &str) -> Value {
    json!({
        "Name": name,
        "WorkspaceId": "310042",
        "DataSourceType": "OSS",
        "Property": "DIRECTORY",
        "DataType": "PIC",
        "Uri": uri,
        "Options": "{\"mountPath\": \"/mnt/images/\"}",
        "MountAccessReadWriteRoleIdList": ["*"],
        "Labels": [{ "Key": "gpujob", "Value": "1" }],
    })
}

fn register(bench: &Bench, body: &Value) -> String {
    let answer = bench.call("POST", "/api/v1/datasets", Some(body));
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.text("DatasetId").to_owned()
}

fn names(bench: &Bench, query: &str) -> Vec<String> {
    let answer = bench.get(&format!("/api/v1/datasets?{query}"));
    assert_eq!(answer.status, 200, "{query}: {}", answer.body);
    answer.body["Datasets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|dataset| dataset["Name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_dataset_is_created_shown_listed_and_deleted() {
    let bench = Bench::new();
    let id = register(
        &bench,
        &dataset("imagenet_mini", "oss://acme/imagenet-mini/"),
    );
    assert!(id.starts_with("d-") && id.len() == 20, "{id}");
    let path = format!("/api/v1/datasets/{id}");
    let shown = bench.get(&path).body;
    assert_eq!(shown["DatasetId"], id.as_str());
    assert_eq!(shown["Uri"], "oss://acme/imagenet-mini/");
    assert_eq!(shown["MountAccess"], "RW");
    assert_eq!(shown["Accessibility"], "PRIVATE");
    assert_eq!(shown["ProviderType"], "Ecs");
    assert_eq!(shown["SourceType"], "USER");
    assert_eq!(shown["Edition"], "BASIC");
    assert_eq!(shown["GmtCreateTime"], "2026-01-12T09:41:03.000Z");
    assert_eq!(shown["LatestVersion"]["VersionName"], "v1");
    let list = bench.get("/api/v1/datasets?WorkspaceId=310042").body;
    assert_eq!(list["TotalCount"], 1);
    assert_eq!(list["Datasets"][0]["DatasetId"], id.as_str());
    assert_eq!(bench.call("DELETE", &path, None).status, 200);
    assert_eq!(bench.get(&path).refusal(), (404, "NotFound"));
    assert_eq!(
        bench.call("DELETE", &path, None).refusal(),
        (404, "NotFound")
    );
}

#[test]
fn datasets_are_filtered_and_paged() {
    let bench = Bench::new();
    let first = register(&bench, &dataset("first", "oss://acme/1/"));
    let mut other = dataset("second_one", "nas://fs.cn-hangzhou/x/");
    other["DataSourceType"] = json!("NAS");
    other["DataType"] = json!("TEXT");
    other["Labels"] = json!([]);
    register(&bench, &other);
    let mut elsewhere = dataset("third", "oss://acme/3/");
    elsewhere["WorkspaceId"] = json!("310077");
    register(&bench, &elsewhere);
    for (query, wanted) in [
        ("", vec!["first", "second_one"]),
        ("Order=DESC", vec!["second_one", "first"]),
        (
            "Order=desc&SortBy=GmtCreateTime",
            vec!["second_one", "first"],
        ),
        ("WorkspaceId=310077", vec!["third"]),
        ("Name=second", vec!["second_one"]),
        ("DataSourceTypes=NAS,CPFS", vec!["second_one"]),
        ("DataTypes=PIC", vec!["first"]),
        ("Properties=FILE", vec![]),
        ("Label=gpujob%3D1", vec!["first"]),
        ("Label=gpujob%3D2", vec![]),
        ("PageSize=1&PageNumber=2", vec!["second_one"]),
    ] {
        assert_eq!(names(&bench, query), wanted, "{query}");
    }
    assert_eq!(names(&bench, &format!("DatasetIds=x,{first}")), ["first"]);
}

#[test]
fn wrong_datasets_are_refused() {
    let bench = Bench::new();
    let good = || dataset("good", "oss://acme/1/");
    let long = "n".repeat(128);
    for (name, value) in [
        ("Name", json!(null)),
        ("Name", json!("_first")),
        ("Name", json!("two words")),
        ("Name", json!(long)),
        ("Uri", json!("")),
        ("Uri", json!("nas://x/")),
        ("Uri", json!("oss://")),
        ("Property", json!("FOLDER")),
        ("DataSourceType", json!(null)),
        ("Options", json!("mountPath=/mnt")),
        ("Options", json!({ "mountPath": "/mnt" })),
        ("Accessibility", json!("SHARED")),
        ("Labels", json!(["a"])),
    ] {
        let mut body = good();
        body[name] = value.clone();
        let answer = bench.call("POST", "/api/v1/datasets", Some(&body));
        assert_eq!(
            answer.refusal(),
            (400, "InvalidParameter"),
            "{name}: {value}"
        );
    }
    let mut body = good();
    body["WorkspaceId"] = json!("1");
    let answer = bench.call("POST", "/api/v1/datasets", Some(&body));
    assert_eq!(answer.refusal(), (404, "NotFound"));
    body = good();
    body["DryRun"] = json!(true);
    assert_eq!(
        bench.call("POST", "/api/v1/datasets", Some(&body)).status,
        200
    );
    assert_eq!(bench.get("/api/v1/datasets").body["TotalCount"], 0);
    body = good();
    body["Name"] = json!("数据-1");
    register(&bench, &body);
}

#[tokio::test]
async fn jobs_see_a_datasets_files_at_its_mount_path() {
    let bench = Bench::new();
    let id = register(&bench, &dataset("shared", "oss://acme/shared/"));
    let mut write = job("echo hello > /mnt/images/greeting");
    write["DataSources"] = json!([{ "DataSourceId": id }]);
    let done = bench.run(&write).await;
    assert_eq!(done["Status"], "Succeeded", "{done}");
    assert_eq!(
        done["DataSources"],
        json!([{ "DataSourceId": id, "MountPath": "/mnt/images/", "Uri": "" }])
    );

    // The registration goes, the data stays: the same place under its Uri, elsewhere mounted.
    bench.call("DELETE", &format!("/api/v1/datasets/{id}"), None);
    let mut read = job("cat /mnt/in/greeting");
    read["DataSources"] = json!([{ "Uri": "oss://acme/shared", "MountPath": "/mnt/in" }]);
    let done = bench.run(&read).await;
    let job = done["JobId"].as_str().unwrap();
    assert_eq!(bench.lines(job, &format!("{job}-master-0")), ["hello"]);
}

#[tokio::test]
async fn a_dataset_of_another_workspace_cannot_be_mounted() {
    let bench = Bench::new();
    let mut elsewhere = dataset("third", "oss://acme/3/");
    elsewhere["WorkspaceId"] = json!("310077");
    let id = register(&bench, &elsewhere);
    let mut body = job("true");
    body["DataSources"] = json!([{ "DataSourceId": id }]);
    let answer = bench.call("POST", "/api/v1/jobs", Some(&body));
    assert_eq!(answer.refusal(), (404, "NotFound"));
}

#[tokio::test]
async fn the_place_of_a_code_source_is_there() {
    let bench = Bench::new();
    let mut body = job("cd /mnt/code && echo here");
    body["CodeSource"] =
        json!({ "CodeSourceId": "code-1", "Branch": "main", "MountPath": "/mnt/code" });
    let done = bench.run(&body).await;
    assert_eq!(done["Status"], "Succeeded");
    assert_eq!(done["CodeSource"]["Branch"], "main");
}

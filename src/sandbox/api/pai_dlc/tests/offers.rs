use serde_json::Value;

use super::bench::Bench;

fn types(bench: &Bench, query: &str) -> Vec<String> {
    let answer = bench.get(&format!("/api/v1/ecsspecs?{query}"));
    assert_eq!(answer.status, 200, "{query}: {}", answer.body);
    answer.body["EcsSpecs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|spec| spec["InstanceType"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_catalogue_has_every_kind_of_oddity() {
    let bench = Bench::new();
    let body = bench.get("/api/v1/ecsspecs?PageSize=100").body;
    let specs = body["EcsSpecs"].as_array().unwrap();
    assert_eq!(body["TotalCount"], specs.len());
    let any = |fits: &dyn Fn(&Value) -> bool| specs.iter().any(fits);
    assert!(any(&|spec| spec["AcceleratorType"] == "CPU"));
    assert!(any(
        &|spec| spec["AcceleratorType"] == "GPU" && spec.get("GpuMemory").is_none()
    ));
    assert!(any(&|spec| spec["Memory"].as_u64().unwrap() > 8192));
    assert!(any(&|spec| spec["IsAvailable"] == false));
    assert!(any(&|spec| spec["ResourceType"] == "Lingjun"));
    assert!(any(&|spec| spec["SpotStockStatus"] == "WithStock"));
    let mut models: Vec<&str> = specs
        .iter()
        .filter_map(|spec| spec["GpuType"].as_str())
        .collect();
    models.sort_unstable();
    models.dedup();
    assert!(models.len() > 5, "{models:?}");
    for spec in specs {
        for name in ["Cpu", "Gpu", "Memory"] {
            assert!(spec[name].is_u64(), "{name} of {spec}");
        }
    }
}

#[test]
fn types_are_filtered_and_paged() {
    let bench = Bench::new();
    let all = types(&bench, "PageSize=100");
    assert_eq!(types(&bench, "").len(), 10);
    assert_eq!(types(&bench, "PageSize=3&PageNumber=2"), all[3..6]);
    let cpu = types(&bench, "AcceleratorType=CPU&PageSize=100");
    let gpu = types(&bench, "AcceleratorType=GPU&PageSize=100");
    assert_eq!(cpu.len() + gpu.len(), all.len());
    assert!(cpu.contains(&"ecs.c6.large".to_owned()));
    assert_eq!(
        types(&bench, "InstanceTypes=ecs.c6.large,ecs.none"),
        ["ecs.c6.large"]
    );
    assert_eq!(types(&bench, "ResourceType=Lingjun").len(), 2);
    for query in ["AcceleratorType=TPU", "ResourceType=ACS", "PageSize=0"] {
        let answer = bench.get(&format!("/api/v1/ecsspecs?{query}"));
        assert_eq!(answer.refusal(), (400, "InvalidParameter"), "{query}");
    }
}

#[test]
fn every_order_of_types_is_refused() {
    let bench = Bench::new();
    for order in ["CPU", "GPU", "Memory", "GmtCreateTime"] {
        let answer = bench.get(&format!("/api/v1/ecsspecs?SortBy={order}"));
        assert_eq!(answer.refusal(), (400, "InvalidParameter"), "{order}");
    }
}

#[test]
fn workspaces_are_listed_and_shown() {
    let bench = Bench::new();
    let ids = |query: &str| -> Vec<String> {
        bench.get(&format!("/api/v1/workspaces?{query}")).body["Workspaces"]
            .as_array()
            .unwrap()
            .iter()
            .map(|workspace| workspace["WorkspaceId"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids(""), ["310042", "310099", "310077"]);
    assert_eq!(ids("Order=DESC"), ["310077", "310099", "310042"]);
    assert_eq!(ids("WorkspaceName=vision"), ["310042"]);
    assert_eq!(ids("WorkspaceIds=310077,1"), ["310077"]);
    assert_eq!(ids("Status=FROZEN"), ["310099"]);
    assert_eq!(ids("PageSize=2&PageNumber=2"), ["310077"]);
    let one = bench.get("/api/v1/workspaces/310077?Verbose=true").body;
    assert_eq!(one["WorkspaceName"], "acme-speech");
    assert_eq!(one["Owner"]["UserName"], "grace");
    assert_eq!(
        bench.get("/api/v1/workspaces/1").refusal(),
        (404, "NotFound")
    );
    let default = bench.get("/api/v1/defaultWorkspaces").body;
    assert_eq!(default["WorkspaceId"], "310042");
    let limits = bench
        .get("/api/v1/workspaces?Option=GetResourceLimits")
        .body;
    assert!(limits["ResourceLimits"].is_object());
}

//! Every JSON example of the contract (cyclecloud.md §10), read into the model.

use serde_json::json;

use super::super::*;
use super::recorded;

#[test]
fn the_status_has_a_place_for_every_field() {
    let status = ClusterStatus::read(&recorded("status"));
    assert_eq!(status.state.as_deref(), Some("Started"));
    assert_eq!(status.target_state.as_deref(), Some("Started"));
    assert_eq!(
        (status.max_count, status.max_core_count),
        (Some(60), Some(4000))
    );
    assert!(status.is_started());
    assert!(status.nodes.is_empty());
    let [array] = status.nodearrays.as_slice() else {
        panic!("one array");
    };
    assert_eq!(array.name, "gpu");
    assert_eq!(
        (array.max_count, array.max_core_count),
        (Some(12), Some(800))
    );
    assert_eq!(array.region().as_deref(), Some("swedencentral"));
    assert!(!array.is_spot());
    assert_eq!(
        array.machine_types(),
        ["Standard_NC24ads_A100_v4", "Standard_ND96isr_H100_v5"]
    );
    assert_eq!(array.active_count(), 1);
    let [first, second] = array.buckets.as_slice() else {
        panic!("two buckets");
    };
    assert_eq!(
        first.id.as_deref(),
        Some("0b0f6e0e-77f6-4a35-9e3e-9d2f4b1f6a01")
    );
    assert_eq!(
        first.definition,
        json!({"machineType": "Standard_NC24ads_A100_v4"})
    );
    assert_eq!(
        first.machine_type.as_deref(),
        Some("Standard_NC24ads_A100_v4")
    );
    assert!(first.valid);
    assert_eq!(first.invalid_reason, None);
    assert_eq!(
        (first.max_count, first.max_core_count),
        (Some(8), Some(192))
    );
    assert_eq!(
        (first.active_count, first.active_core_count),
        (Some(1), Some(24))
    );
    assert_eq!(first.active_nodes, ["gpu-1"]);
    assert_eq!(
        (first.available_count, first.available_core_count),
        (Some(6), Some(144))
    );
    assert_eq!(
        (first.quota_count, first.quota_core_count),
        (Some(8), Some(200))
    );
    assert_eq!(first.consumed_core_count, Some(48));
    let quota = |count, cores, used| Quota {
        count: Some(count),
        core_count: Some(cores),
        consumed_core_count: Some(used),
    };
    assert_eq!(first.family, quota(8, 200, 48));
    assert_eq!(first.regional, quota(14, 350, 96));
    assert_eq!(first.last_capacity_failure, None, "negative is never");
    assert_eq!(first.spot_placement_score, None);
    assert_eq!(first.max_placement_group_size, Some(40));
    assert_eq!(first.max_placement_group_core_size, Some(960));
    assert!(first.placement_groups.is_empty());
    assert_eq!(
        first.machine,
        VirtualMachine {
            vcpu_count: Some(24),
            pcpu_count: Some(24),
            gpu_count: Some(1),
            memory_gb: Some(220.0),
            infiniband: Some(false),
            vcpu_quota_count: Some(24),
        }
    );
    assert!(!second.valid);
    assert_eq!(
        second.invalid_reason.as_deref(),
        Some("DisabledMachineType")
    );
    assert_eq!(second.last_capacity_failure, Some(412.5));
    assert_eq!(
        second.placement_groups,
        [PlacementGroup {
            name: "trainpg".to_owned(),
            active_count: Some(0),
            active_core_count: Some(0),
        }]
    );
    assert_eq!(second.machine.vcpu_quota_count, None);
}

#[test]
fn buckets_become_types_with_cards_from_the_table() {
    let status = ClusterStatus::read(&recorded("status"));
    let offers = offers::offers(&status, "lab", None);
    let [first, second] = offers.as_slice() else {
        panic!("two offers");
    };
    assert_eq!(first.id, "gpu/Standard_NC24ads_A100_v4");
    assert_eq!(first.name, "Standard_NC24ads_A100_v4");
    assert_eq!(first.cluster.as_deref(), Some("lab"));
    assert_eq!(first.queue.as_deref(), Some("gpu"));
    assert_eq!(first.region.as_deref(), Some("swedencentral"));
    let gpu = first.gpu.as_ref().unwrap();
    assert_eq!(gpu.model.as_deref(), Some("A100"));
    assert_eq!(gpu.memory_bytes, Some(80 << 30));
    assert_eq!(gpu.form_factor.as_deref(), Some("PCIE"));
    assert!((gpu.count - 1.0).abs() < 1e-9);
    assert_eq!(first.cpu_cores, Some(24.0));
    assert_eq!(first.memory_bytes, Some(220 << 30));
    assert_eq!(first.arch.as_deref(), Some("amd64"));
    assert_eq!(first.price_per_hour, None);
    assert_eq!(first.spot, None);
    assert_eq!((first.stock, first.available), (Some(6), Some(true)));
    assert_eq!(first.infiniband, Some(false));
    assert_eq!(first.note, None);
    assert_eq!((second.stock, second.available), (Some(0), Some(false)));
    assert_eq!(second.infiniband, Some(true));
    assert_eq!(
        second.note.as_deref(),
        Some("DisabledMachineType; capacity failure 412 s ago")
    );
}

#[test]
fn older_servers_leave_the_optional_fields_out() {
    let status = ClusterStatus::read(&json!({
        "nodearrays": [{ "name": "gpu", "nodearray": {"interruptible": "true"}, "buckets": [{
            "definition": { "machineType": "Standard_NC6s_v3" },
            "virtualMachine": { "vcpuCount": 6, "memory": 112.0, "infiniband": false }
        }]}]
    }));
    assert!(!status.is_started(), "never started");
    let offers = offers::offers(&status, "lab", None);
    let offer = &offers[0];
    assert_eq!(offer.gpu.as_ref().unwrap().model.as_deref(), Some("V100"));
    assert_eq!((offer.stock, offer.available), (None, None), "nobody tells");
    assert!(offer.spot.is_some());
}

#[test]
fn mounts_and_disks_of_an_array_are_volumes() {
    let mut answer = recorded("status");
    let array = &mut answer["nodearrays"][0]["nodearray"];
    array["Volumes"] = json!({
        "boot": { "Size": 64, "StorageAccountType": "Premium_LRS" },
        "results": { "Size": 1, "Mount": "results" },
    });
    array["Configuration"]["cyclecloud"]["mounts"]["blobs"] =
        json!({"type": "blobfuse2", "mountpoint": "/blobs"});
    array["Configuration"]["cyclecloud"]["mounts"]["old"] =
        json!({"type": "nfs", "mountpoint": "/old", "disabled": true});
    let volumes = shares::volumes("cc", "my lab", &ClusterStatus::read(&answer));
    let rows: Vec<_> = volumes
        .iter()
        .map(|volume| {
            (
                volume.volume_ref.to_string(),
                volume.kind.as_str(),
                volume.size_bytes,
                volume.status.as_deref(),
                volume.mountable,
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            (
                "cc/my%20lab/gpu/results".to_owned(),
                "nfs",
                None,
                None,
                true
            ),
            (
                "cc/my%20lab/gpu/blobs".to_owned(),
                "volume",
                None,
                None,
                false
            ),
            (
                "cc/my%20lab/gpu/old".to_owned(),
                "nfs",
                None,
                Some("disabled"),
                false
            ),
            (
                "cc/my%20lab/gpu/boot".to_owned(),
                "disk",
                Some(64 << 30),
                None,
                false
            ),
        ]
    );
    assert_eq!(volumes[0].scope.as_deref(), Some("my lab/gpu"));
}

#[test]
fn nodes_of_a_request_tell_phase_and_failure() {
    let list = NodeList::read(&recorded("nodes-of-a-request")).unwrap();
    let operation = list.operation.unwrap();
    assert_eq!(operation.action.as_deref(), Some("create"));
    assert_eq!(
        operation.start_time,
        Some("2026-03-02T09:30:11Z".parse().unwrap())
    );
    let [first, second] = list.nodes.as_slice() else {
        panic!("two nodes");
    };
    assert_eq!(
        first.id.as_deref(),
        Some("a9f1c1b0-1f0d-4c39-b0f4-1c2f9c4d7e02")
    );
    assert_eq!(first.name, "gpu-2");
    assert_eq!(first.cluster.as_deref(), Some("lab"));
    assert_eq!(first.template.as_deref(), Some("gpu"));
    assert_eq!(
        first.machine_type.as_deref(),
        Some("Standard_NC24ads_A100_v4")
    );
    assert_eq!(first.phase(), Phase::Ready);
    assert_eq!(first.status_message, None);
    assert_eq!(first.instance_id.as_deref(), Some("gpu-vmss_2"));
    assert_eq!(first.private_ip.as_deref(), Some("10.20.1.12"));
    assert_eq!(first.public_ip, None);
    assert_eq!(first.hostname.as_deref(), Some("ip-0A14010C"));
    assert_eq!(first.region.as_deref(), Some("swedencentral"));
    assert_eq!(first.interruptible, Some(false));
    assert!(!first.keep_alive);
    assert_eq!(first.placement_group_id, None);
    assert_eq!(
        first.launch_time,
        Some("2026-03-02T09:31:40Z".parse().unwrap())
    );
    assert_eq!(
        first.job_id().as_deref(),
        Some("3f0c1a52-9f1b-4f6e-8f53-0d4f8f4c2a10")
    );
    assert_eq!(second.phase(), Phase::Failed);
    assert_eq!(
        second.failure().as_deref(),
        Some("Timeout awaiting system boot-up")
    );
    assert_eq!(second.failed_phases, ["Cloud.AwaitBootup"]);
    assert_eq!(second.job_id(), None, "a failed node may carry nothing");
}

#[test]
fn answers_to_creates_tell_how_many_were_added() {
    let created = Created::read(&recorded("created")).unwrap();
    assert_eq!(
        created.operation_id.as_deref(),
        Some("7d1f0a7e-2b8e-4c0c-9a0e-3a1f6c5b2d44")
    );
    assert_eq!((created.added(), created.message()), (2, None));
    let partial = Created::read(&recorded("created-partially")).unwrap();
    assert_eq!(partial.added(), 1);
    assert_eq!(
        partial.message().as_deref(),
        Some("Only 1 of 4 nodes fit the family quota")
    );
    assert_eq!(Created::read(&recorded("scaled")).unwrap().added(), 3);
    for unreadable in [
        json!({}),
        json!({"sets": []}),
        json!({"sets": [{}]}),
        json!([]),
    ] {
        assert_eq!(Created::read(&unreadable), None, "{unreadable}");
    }
}

#[test]
fn answers_to_terminates_name_who_refused() {
    let managed = Managed::read(&recorded("terminated-with-one-refusal"));
    assert_eq!(
        managed.operation_id.as_deref(),
        Some("f0b8a5b4-8d0b-4d5e-b0c8-5e0a7c1b2a66")
    );
    assert_eq!(managed.nodes.len(), 2);
    assert_eq!(managed.refused(), ["gpu-3: Node is protected by KeepAlive"]);
    assert!(Managed::read(&Value::Null).refused().is_empty());
}

#[test]
fn the_terminate_of_the_contract_is_what_is_sent() {
    let example = recorded("request-terminate");
    let ids = example["ids"]
        .as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_str().unwrap().to_owned())
        .collect();
    let body = Termination {
        ids,
        request_id: example["requestId"].as_str().unwrap().to_owned(),
    };
    assert_eq!(serde_json::to_value(&body).unwrap(), example);
}

#[test]
fn operations_tell_action_and_start_and_nothing_else() {
    let operations: Vec<Operation> = recorded("operations")
        .as_array()
        .unwrap()
        .iter()
        .map(Operation::read)
        .collect();
    assert_eq!(operations.len(), 1);
    assert_eq!(operations[0].action.as_deref(), Some("create"));
    assert!(operations[0].start_time.is_some());
    assert!(
        recorded("operations-unknown")
            .as_array()
            .unwrap()
            .is_empty()
    );
}

#[test]
fn usage_is_of_arrays_and_nodes() {
    let usage = ClusterUsage::read(&recorded("usage")).unwrap();
    let [interval] = usage.usage.as_slice() else {
        panic!("one interval");
    };
    assert_eq!(
        interval.start,
        Some("2026-03-01T00:00:00Z".parse().unwrap())
    );
    assert_eq!(interval.end, Some("2026-03-03T00:00:00Z".parse().unwrap()));
    let total = interval.total.as_ref().unwrap();
    assert_eq!(total.category.as_deref(), Some("cluster"));
    assert_eq!(
        (total.core_hours, total.cost.as_deref()),
        (Some(212.0), Some("31.4"))
    );
    let array = &interval.breakdown[1];
    assert_eq!(array.node.as_deref(), Some("gpu"));
    assert_eq!(
        array.details,
        [UsageDetail {
            vm_size: Some("Standard_NC24ads_A100_v4".to_owned()),
            core_count: Some(24),
            core_hours: Some(116.0),
            region: Some("swedencentral".to_owned()),
            priority: Some("Regular".to_owned()),
            os: Some("Linux".to_owned()),
            cost: Some("26.8".to_owned()),
        }]
    );
}

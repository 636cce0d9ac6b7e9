//! The fingerprint of a spec, by which "same key, different spec" is told (cli.md §7 and §10).
//!
//! It depends on what the job is, not on how it was written: not on the format, the order of keys, or the words for a
//! duration. Values of secrets are not in a spec and so not in its hash. The candidates (`provider`) are left out too:
//! the same job offered to other providers is the same job.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::model::Money;

use super::model::{
    Array, CodeSource, GpuRequest, JobSpec, Mount, MountSource, Placement, Port, Program,
    RegistryAuth, Resources, SecretSource, Spot, Timeout,
};

/// SHA-256 over the canonical form.
pub fn spec_hash(spec: &JobSpec) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(b"gpujob-spec-v1\0");
    digest.update(canonical(spec).to_string().as_bytes());
    digest.finalize().into()
}

/// The spec as JSON with sorted keys. What is unset is left out, so that a future field changes no hash of today; but
/// the blocks that are kept as written keep their nulls, which may mean something to a provider.
fn canonical(spec: &JobSpec) -> Value {
    let mut fields = match compact(own_fields(spec)) {
        Value::Object(fields) => fields,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    };
    if let Some(health_checks) = &spec.health_checks {
        fields.insert("health_checks".to_owned(), health_checks.clone());
    }
    for (backend, options) in &spec.provider_options {
        if !options.is_empty() {
            fields.insert(
                format!("provider_options.{backend}"),
                Value::Object(options.clone()),
            );
        }
    }
    sorted(Value::Object(fields))
}

/// Every field by name, so that a new one cannot be forgotten.
fn own_fields(spec: &JobSpec) -> Value {
    let JobSpec {
        name,
        provider: _,
        placement,
        priority,
        labels,
        description,
        image,
        registry_auth,
        program,
        env,
        secrets,
        workdir,
        user,
        privileged,
        host_network,
        ulimits,
        code,
        resources,
        nodes,
        array,
        framework,
        spot,
        estimate,
        timeout,
        start_timeout,
        retries,
        grace,
        ttl_after_finish,
        budget,
        max_price,
        max_cost,
        mounts,
        ports,
        vpc,
        health_checks: _,
        exit_code_carrier,
        provider_options: _,
    } = spec;
    // Which variables are secret matters, in which order does not.
    let mut secrets = secrets.clone();
    secrets.sort();
    json!({
        "name": name,
        "placement": placement_value(placement),
        "priority": priority,
        "labels": labels,
        "description": description,
        "image": image,
        "registry_auth": registry_auth.as_ref().map(registry_value),
        "program": program_value(program),
        "env": env,
        "secrets": secrets,
        "workdir": workdir,
        "user": user,
        "privileged": privileged,
        "host_network": host_network,
        "ulimits": ulimits,
        "code": code.as_ref().map(code_value),
        "resources": resources_value(resources),
        "nodes": nodes,
        "array": array.as_ref().map(array_value),
        "framework": framework.map(super::model::Framework::as_str),
        "spot": spot.as_ref().map(spot_value),
        "estimate": estimate,
        "timeout": timeout_value(*timeout),
        "start_timeout": start_timeout,
        "retries": retries,
        "grace": grace,
        "ttl_after_finish": ttl_after_finish,
        "budget": budget.as_ref().map(Money::to_string),
        "max_price": max_price.as_ref().map(Money::to_string),
        "max_cost": max_cost.as_ref().map(Money::to_string),
        "mounts": mounts.iter().map(mount_value).collect::<Vec<_>>(),
        "ports": ports.iter().map(port_value).collect::<Vec<_>>(),
        "vpc": vpc,
        "exit_code_carrier": exit_code_carrier.then_some(true),
    })
}

/// Without what is null or empty.
fn compact(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(key, value)| (key, compact(value)))
                .filter(|(_, value)| match value {
                    Value::Null => false,
                    Value::Object(map) => !map.is_empty(),
                    Value::Array(items) => !items.is_empty(),
                    Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(compact).collect()),
        scalar @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => scalar,
    }
}

/// Keys in order at every depth.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(String, Value)> = map
                .into_iter()
                .map(|(key, value)| (key, sorted(value)))
                .collect();
            entries.sort_by(|(left, _), (right, _)| left.cmp(right));
            Value::Object(entries.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        scalar @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => scalar,
    }
}

fn placement_value(placement: &Placement) -> Value {
    let Placement {
        namespace,
        cluster,
        region,
        queue,
    } = placement;
    json!({"namespace": namespace, "cluster": cluster, "region": region, "queue": queue})
}

fn registry_value(auth: &RegistryAuth) -> Value {
    let RegistryAuth {
        username,
        password,
        registry,
    } = auth;
    let password = match password {
        SecretSource::Environment(name) => json!({"env": name}),
        SecretSource::File(path) => json!({"file": path}),
        SecretSource::Command(words) => json!({"command": words}),
    };
    json!({"username": username, "password": password, "registry": registry})
}

fn program_value(program: &Program) -> Value {
    match program {
        Program::ImageDefault => Value::Null,
        Program::Command(words) => json!({"command": words}),
        Program::Script { text, arguments } => json!({"script": text, "args": arguments}),
        Program::Arguments(arguments) => json!({"args": arguments}),
    }
}

fn code_value(code: &CodeSource) -> Value {
    let CodeSource {
        id,
        branch,
        commit,
        path,
    } = code;
    json!({"id": id, "branch": branch, "commit": commit, "path": path})
}

fn resources_value(resources: &Resources) -> Value {
    let Resources {
        instance_type,
        gpu,
        cpu,
        memory,
        shm,
        disk,
        arch,
    } = resources;
    let gpu = gpu.as_ref().map(|gpu| {
        let GpuRequest {
            model,
            count,
            memory_gib,
        } = gpu;
        json!({"model": model, "count": count, "memory_gib": memory_gib})
    });
    json!({
        "instance_type": instance_type, "gpu": gpu, "cpu": cpu, "memory": memory,
        "shm": shm, "disk": disk, "arch": arch,
    })
}

fn array_value(array: &Array) -> Value {
    let Array {
        first,
        last,
        parallel,
        index,
    } = array;
    json!({"first": first, "last": last, "parallel": parallel, "index": index})
}

fn spot_value(spot: &Spot) -> Value {
    let Spot { max_discount } = spot;
    // Spot without a limit is not the same as no spot.
    json!({"wanted": true, "max_discount": max_discount})
}

fn timeout_value(timeout: Timeout) -> Value {
    match timeout {
        Timeout::Unset => Value::Null,
        Timeout::Unlimited => json!("none"),
        Timeout::After(seconds) => json!(seconds),
    }
}

fn mount_value(mount: &Mount) -> Value {
    let Mount {
        source,
        path,
        readonly,
        subpath,
    } = mount;
    let source = match source {
        MountSource::Ref(reference) => json!({"ref": reference.to_string()}),
        MountSource::Id(id) => json!({"id": id}),
        MountSource::Typed { kind, id, version } => {
            json!({"kind": kind, "id": id, "version": version})
        }
        MountSource::Uri(uri) => json!({"uri": uri}),
    };
    json!({"source": source, "path": path, "readonly": readonly, "subpath": subpath})
}

fn port_value(port: &Port) -> Value {
    match port {
        Port::Named { name, https } => json!({"name": name, "https": https}),
        Port::Fixed(number) => json!({"port": number}),
    }
}

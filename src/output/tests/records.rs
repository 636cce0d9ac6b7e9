//! Types, volumes, namespaces, plans, settings, events, costs, checks.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{check, failures, json};
use crate::config;
use crate::model::{Event, JobCost, Money, ResourceRef};
use crate::output::samples::{
    bare_offer, bare_volume, credentials, files, full_job, full_offer, namespace, now, plan,
    refused, style, volume,
};
use crate::output::*;
use crate::secret::Secret;
use crate::sign::Scheme;

#[test]
fn types_in_every_format() {
    let (full, bare) = (full_offer(), bare_offer());
    let rows = [
        Row::new("paracloud", Backend::Paracloud, &full),
        Row::new("gongji", Backend::Gongji, &bare),
    ];
    for format in [
        Format::Table,
        Format::Wide,
        Format::Json,
        Format::Csv,
        Format::Name,
    ] {
        let text = render_types(&rows, &[], &style(format), now()).unwrap();
        check(&format!("types_{format}"), &text);
    }
}

#[test]
fn volumes_in_every_format() {
    let (full, bare) = (volume(), bare_volume());
    let rows = [
        Row::new("paracloud", Backend::Paracloud, &full),
        Row::new("cyclecloud", Backend::Cyclecloud, &bare),
    ];
    for format in [
        Format::Table,
        Format::Wide,
        Format::Json,
        Format::Csv,
        Format::Name,
    ] {
        let text = render_volumes(&rows, &failures(), &style(format)).unwrap();
        check(&format!("volumes_{format}"), &text);
    }
}

#[test]
fn files_in_every_format() {
    let volume = volume().volume_ref;
    let entries = files();
    for format in [Format::Table, Format::Json, Format::Csv, Format::Name] {
        let text = render_files(&volume, &entries, &style(format)).unwrap();
        check(&format!("files_{format}"), &text);
    }
    assert_eq!(
        render_file(&volume, &entries[1], &style(Format::Table)).unwrap(),
        ""
    );
    let moved = render_file(&volume, &entries[1], &style(Format::Json)).unwrap();
    assert_eq!(json(&moved)["schema"], "gpujob/file/v1");
}

#[test]
fn credentials_are_shown_for_a_volume_just_created_and_only_then() {
    let volume = volume();
    let row = Row::new("paracloud", Backend::Paracloud, &volume);
    let access = credentials();
    for format in [Format::Table, Format::Json, Format::Csv, Format::Name] {
        let text = render_created_volume(&row, Some(&access), &style(format)).unwrap();
        check(&format!("created_volume_{format}"), &text);
        let listed = render_volumes(&[row], &[], &style(format)).unwrap();
        assert!(!listed.contains("once-0nly") && !listed.contains("credentials"));
    }
    let without = render_created_volume(&row, None, &style(Format::Json)).unwrap();
    assert_eq!(json(&without)["credentials"], Value::Null);
}

#[test]
fn namespaces_in_every_format() {
    let namespace = namespace();
    let row = Row::new("pai-dlc", Backend::PaiDlc, &namespace);
    for format in [Format::Table, Format::Json, Format::Tsv, Format::Name] {
        let text = render_namespaces(&[row], &[], &style(format)).unwrap();
        check(&format!("namespaces_{format}"), &text);
        let text = render_created_namespace(&row, &style(format)).unwrap();
        check(&format!("created_namespace_{format}"), &text);
    }
}

#[test]
fn plans_show_requests_and_refusals_and_no_secret() {
    let (planned, refused) = (plan(), refused());
    let secrets = BTreeMap::from([("WANDB_KEY".to_owned(), Secret::new("s3cret-value"))]);
    let entries = [
        PlanEntry {
            provider: "paracloud",
            backend: Backend::Paracloud,
            scheme: Scheme::Bearer,
            outcome: PlanOutcome::Planned(&planned),
            estimated_cost: Some(Money::from_micros(18_755_100, "CNY")),
            secrets: &secrets,
        },
        PlanEntry {
            provider: "second",
            backend: Backend::Paracloud,
            scheme: Scheme::Bearer,
            outcome: PlanOutcome::Refused(&refused),
            estimated_cost: None,
            secrets: &secrets,
        },
    ];
    for format in [Format::Table, Format::Json, Format::Csv, Format::Name] {
        let text = render_plans(&entries, &[], &style(format)).unwrap();
        assert!(!text.contains("s3cret"), "{text}");
        check(&format!("plan_{format}"), &text);
    }
    assert!(!render_curl(&entries).contains("s3cret"));
}

#[test]
fn configuration_rows() {
    let rows = [
        config::Row {
            key: "default-provider".to_owned(),
            value: "pai-dlc".to_owned(),
            origin: config::Origin::Default,
            source: None,
        },
        config::Row {
            key: "providers.paracloud.token".to_owned(),
            value: "••••".to_owned(),
            origin: config::Origin::File {
                path: "config.toml".to_owned(),
                line: 5,
            },
            source: Some("variable `PARA_TOKEN`".to_owned()),
        },
    ];
    for (name, shows_origin, format) in [
        ("config_table", false, Format::Table),
        ("config_origin", true, Format::Table),
        ("config_json", false, Format::Json),
    ] {
        let text = render_config(&rows, &[], shows_origin, &style(format)).unwrap();
        check(name, &text);
    }
}

#[test]
fn events_costs_and_checks() {
    let events = [Event {
        time: Some(now()),
        kind: Some("Warning".to_owned()),
        reason: Some("BackOff".to_owned()),
        message: Some("pull\nfailed".to_owned()),
        source: Some("pod-0".to_owned()),
    }];
    let costs = [
        JobCost {
            job_ref: ResourceRef::new("gongji", ["7"]),
            cost: Some(Money::from_micros(1_677_600, "CNY")),
            estimate: false,
            raw: serde_json::json!({"billing_value": 1_677_600}),
        },
        JobCost {
            job_ref: ResourceRef::new("paracloud", ["a", "b", "c"]),
            cost: None,
            estimate: false,
            raw: Value::Null,
        },
    ];
    let checks = [DoctorRow {
        provider: Some("gongji".to_owned()),
        check: "clock".to_owned(),
        ok: false,
        message: "7 minutes behind".to_owned(),
        hint: Some("set the clock".to_owned()),
    }];
    for format in [Format::Table, Format::Json] {
        let style = style(format);
        check(
            &format!("events_{format}"),
            &render_events(&events, &[], &style).unwrap(),
        );
        check(
            &format!("cost_{format}"),
            &render_costs(&costs, &[], &style).unwrap(),
        );
        check(
            &format!("doctor_{format}"),
            &render_doctor(&checks, &[], &style).unwrap(),
        );
    }
}

#[test]
fn csv_columns_are_the_keys_of_the_records() {
    let (job, offer, volume, namespace) = (full_job(), full_offer(), volume(), namespace());
    let access = credentials();
    let planned = plan();
    let secrets = BTreeMap::new();
    let entry = PlanEntry {
        provider: "paracloud",
        backend: Backend::Paracloud,
        scheme: Scheme::Bearer,
        outcome: PlanOutcome::Planned(&planned),
        estimated_cost: Some(Money::from_micros(1, "CNY")),
        secrets: &secrets,
    };
    let style = style(Format::Json);
    let job = Row::new("hz", Backend::PaiDlc, &job);
    let offer = Row::new("p", Backend::Paracloud, &offer);
    let volume = Row::new("p", Backend::Paracloud, &volume);
    let namespace = Row::new("p", Backend::Paracloud, &namespace);
    let item = |text: String| json(&text)["items"][0].clone();
    let record = |text: String| {
        let mut record = json(&text);
        record.as_object_mut().unwrap().shift_remove("schema");
        record
    };
    for (columns, item) in [
        (
            json::JOB_COLUMNS.to_vec(),
            item(render_jobs(&[job], &[], &style, now()).unwrap()),
        ),
        (
            json::OFFER_COLUMNS.to_vec(),
            item(render_types(&[offer], &[], &style, now()).unwrap()),
        ),
        (
            [json::VOLUME_COLUMNS, json::CREDENTIAL_COLUMNS].concat(),
            record(render_created_volume(&volume, Some(&access), &style).unwrap()),
        ),
        (
            json::NAMESPACE_COLUMNS.to_vec(),
            item(render_namespaces(&[namespace], &[], &style).unwrap()),
        ),
        (
            json::PLAN_COLUMNS.to_vec(),
            item(render_plans(&[entry], &[], &style).unwrap()),
        ),
    ] {
        let keys: Vec<String> = item
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(key, value)| match value.as_object() {
                // Free-form objects of a provider are JSON text.
                Some(members) if key != "raw" && key != "raw_state" => members
                    .keys()
                    .map(|member| format!("{key}.{member}"))
                    .collect(),
                Some(_) | None => vec![key.clone()],
            })
            .collect();
        assert_eq!(keys, columns);
    }
}

//! The facade: one function per kind, from records to the text for stdout.

use serde_json::Value;

use crate::config;
use crate::error::{Error, Result};
use crate::http::{Signed, Template};
use crate::journal::Entry;
use crate::model::{
    Backend, Event, FileEntry, Job, JobCost, Namespace, Offer, ResourceRef, Timestamp,
    TransferCredentials, Volume,
};
use crate::sign::Scheme;

use super::document::{Document, Shape};
use super::json::{
    self, CONFIG_COLUMNS, COST_COLUMNS, CREDENTIAL_COLUMNS, ConfigV1, CostV1, CredentialsV1,
    DOCTOR_COLUMNS, DoctorRow, DoctorV1, EVENT_COLUMNS, EventV1, FILE_COLUMNS, FileV1, JOB_COLUMNS,
    JOURNAL_COLUMNS, JobV1, JournalV1, LogLineV1, NAMESPACE_COLUMNS, NamespaceV1, OFFER_COLUMNS,
    PLAN_COLUMNS, PlanEntry, PlanV1, PriceCheckV1, ReceiptV1, Told, TypeV1, VOLUME_COLUMNS,
    VolumeV1, journal_name,
};
use super::{Detailed, Format, Row, Style, curl, table};

/// `status` without refs or with several, `wait` on several: kind `jobs`.
pub fn render_jobs(
    rows: &[Row<'_, Job>],
    errors: &[Error],
    style: &Style,
    now: Timestamp,
) -> Result<String> {
    let names = rows.iter().map(|row| row.item.job_ref.to_string());
    list(
        "jobs",
        JOB_COLUMNS,
        rows.iter().map(JobV1::new),
        names,
        errors,
    )?
    .render(style, || table::jobs(rows, style, now))
}

/// `status` of one job: kind `job`, in detail.
pub fn render_job(row: &Row<'_, Job>, style: &Style, now: Timestamp) -> Result<String> {
    job_document(row, &Told::default())?.render(style, || table::job_detail(row, style, now))
}

/// `submit`: kind `job` with the receipts of all candidates and the price; without a format the ref alone.
pub fn render_submitted(row: &Row<'_, Job>, told: &Told, style: &Style) -> Result<String> {
    job_document(row, told)?.render(style, || format!("{}\n", row.item.job_ref))
}

/// One job as an item of kind `jobs` on a line of its own: for `wait` and `--watch` under ndjson.
pub fn job_line(row: &Row<'_, Job>, style: &Style) -> Result<String> {
    super::ndjson_line(&json::object(&JobV1::new(row))?, style)
}

/// One line of a log: for `logs` and `--follow` under ndjson.
pub fn log_line(pod: &str, stream: Option<&str>, line: &str, style: &Style) -> Result<String> {
    super::ndjson_line(&json::object(&LogLineV1::new(pod, stream, line))?, style)
}

/// `types`.
pub fn render_types(
    rows: &[Row<'_, Offer>],
    errors: &[Error],
    style: &Style,
    now: Timestamp,
) -> Result<String> {
    let names = rows.iter().map(|row| row.item.id.clone());
    list(
        "types",
        OFFER_COLUMNS,
        rows.iter().map(TypeV1::new),
        names,
        errors,
    )?
    .render(style, || table::types(rows, style, now))
}

/// `volumes list`.
pub fn render_volumes(rows: &[Row<'_, Volume>], errors: &[Error], style: &Style) -> Result<String> {
    let names = rows.iter().map(|row| row.item.volume_ref.to_string());
    list(
        "volumes",
        VOLUME_COLUMNS,
        rows.iter().map(VolumeV1::new),
        names,
        errors,
    )?
    .render(style, || table::volumes(rows, style))
}

/// `volumes create`: kind `volume`, and the only place where a secret is shown (cli.md §10 "Records").
pub fn render_created_volume(
    row: &Row<'_, Volume>,
    credentials: Option<&TransferCredentials>,
    style: &Style,
) -> Result<String> {
    let mut item = json::object(&VolumeV1::new(row))?;
    let shown = match credentials {
        Some(credentials) => json::object(&CredentialsV1::new(credentials))?,
        None => Value::Null,
    };
    insert(&mut item, "credentials", shown);
    Document {
        kind: "volume",
        shape: Shape::Single(item),
        columns: [VOLUME_COLUMNS, CREDENTIAL_COLUMNS].concat(),
        names: vec![row.item.volume_ref.to_string()],
    }
    .render(style, || table::created_volume(row, credentials, style))
}

/// `volumes ls`: kind `files`; by name the paths.
pub fn render_files(volume: &ResourceRef, entries: &[FileEntry], style: &Style) -> Result<String> {
    let names = entries.iter().map(|entry| entry.path.to_string());
    let items = entries.iter().map(|entry| FileV1::new(volume, entry));
    list("files", FILE_COLUMNS, items, names, &[])?.render(style, || table::files(entries, style))
}

/// `volumes put` and `get`: kind `file`; without a format nothing, since the file is the result.
pub fn render_file(volume: &ResourceRef, entry: &FileEntry, style: &Style) -> Result<String> {
    Document {
        kind: "file",
        shape: Shape::Single(json::object(&FileV1::new(volume, entry))?),
        columns: FILE_COLUMNS.to_vec(),
        names: vec![entry.path.to_string()],
    }
    .render(style, String::new)
}

/// `namespaces list`.
pub fn render_namespaces(
    rows: &[Row<'_, Namespace>],
    errors: &[Error],
    style: &Style,
) -> Result<String> {
    let names = rows.iter().map(|row| row.item.id.clone());
    let items = rows.iter().map(NamespaceV1::new);
    list("namespaces", NAMESPACE_COLUMNS, items, names, errors)?
        .render(style, || table::namespaces(rows, style))
}

/// `namespaces create`: kind `namespace`.
pub fn render_created_namespace(row: &Row<'_, Namespace>, style: &Style) -> Result<String> {
    Document {
        kind: "namespace",
        shape: Shape::Single(json::object(&NamespaceV1::new(row))?),
        columns: NAMESPACE_COLUMNS.to_vec(),
        names: vec![row.item.id.clone()],
    }
    .render(style, || table::namespace_detail(row, style))
}

/// `explain` and `submit --dry-run=text|json`: kind `plan`.
pub fn render_plans(entries: &[PlanEntry<'_>], errors: &[Error], style: &Style) -> Result<String> {
    let names = entries.iter().map(|entry| entry.provider.to_owned());
    list(
        "plan",
        PLAN_COLUMNS,
        entries.iter().map(PlanV1::new),
        names,
        errors,
    )?
    .render(style, || table::plans(entries, style))
}

/// `submit --dry-run=curl`: commands for a shell, whatever the format.
pub fn render_curl(entries: &[PlanEntry<'_>]) -> String {
    entries.iter().map(curl::script).collect()
}

/// `api --dry-run=curl`; with the signature of `signed` where one was made.
pub fn render_curl_of(
    provider: &str,
    backend: Backend,
    scheme: Scheme,
    template: &Template,
    signed: Option<&Signed>,
) -> String {
    curl::one(provider, backend, scheme, template, signed)
}

/// `config show`; the origins stand in the table only with `--origin`.
pub fn render_config(
    rows: &[config::Row],
    errors: &[Error],
    shows_origin: bool,
    style: &Style,
) -> Result<String> {
    let names = rows.iter().map(|row| row.key.clone());
    list(
        "config",
        CONFIG_COLUMNS,
        rows.iter().map(ConfigV1::new),
        names,
        errors,
    )?
    .render(style, || table::config(rows, shows_origin, style))
}

/// `events`.
pub fn render_events(rows: &[Event], errors: &[Error], style: &Style) -> Result<String> {
    let names = rows.iter().map(|row| {
        row.reason
            .clone()
            .or_else(|| row.kind.clone())
            .unwrap_or_default()
    });
    list(
        "events",
        EVENT_COLUMNS,
        rows.iter().map(EventV1::new),
        names,
        errors,
    )?
    .render(style, || table::events(rows, style))
}

/// `cost`.
pub fn render_costs(rows: &[JobCost], errors: &[Error], style: &Style) -> Result<String> {
    let names = rows.iter().map(|row| row.job_ref.to_string());
    list(
        "cost",
        COST_COLUMNS,
        rows.iter().map(CostV1::new),
        names,
        errors,
    )?
    .render(style, || table::costs(rows, style))
}

/// `journal list|show`: kind `journal`.
pub fn render_journal(entries: &[Entry], detailed: Detailed, style: &Style) -> Result<String> {
    list(
        "journal",
        JOURNAL_COLUMNS,
        entries.iter().map(JournalV1::new),
        entries.iter().map(journal_name),
        &[],
    )?
    .render(style, || match detailed {
        Detailed::Yes => table::journal_details(entries, style),
        Detailed::No => table::journal(entries, style),
    })
}

/// `doctor`.
pub fn render_doctor(rows: &[DoctorRow], errors: &[Error], style: &Style) -> Result<String> {
    let names = rows.iter().map(|row| row.check.clone());
    list(
        "doctor",
        DOCTOR_COLUMNS,
        rows.iter().map(DoctorV1::new),
        names,
        errors,
    )?
    .render(style, || table::doctor(rows, style))
}

/// A JSON value that has no table, such as the place of a file: through `--jq`, else indented.
pub fn render_value(value: &Value, style: &Style) -> Result<String> {
    if let Some(jq) = &style.jq {
        return jq.run(value);
    }
    if style.format == Format::Ndjson {
        return super::ndjson_line(value, style);
    }
    super::document::pretty(value)
}

fn job_document<'a>(row: &Row<'_, Job>, told: &Told) -> Result<Document<'a>> {
    let mut item = json::object(&JobV1::new(row))?;
    let receipts = told
        .receipts
        .iter()
        .map(|receipt| json::object(&ReceiptV1::from(receipt)))
        .collect::<Result<Vec<_>>>()?;
    insert(&mut item, "receipts", receipts.into());
    let price = told.price.as_ref().map(PriceCheckV1::from);
    insert(&mut item, "price", json::object(&price)?);
    Ok(Document {
        kind: "job",
        shape: Shape::Single(item),
        columns: JOB_COLUMNS.to_vec(),
        names: vec![row.item.job_ref.to_string()],
    })
}

fn list<'a, T: serde::Serialize>(
    kind: &'static str,
    columns: &[&'static str],
    items: impl Iterator<Item = T>,
    names: impl Iterator<Item = String>,
    errors: &'a [Error],
) -> Result<Document<'a>> {
    Ok(Document {
        kind,
        shape: Shape::List {
            items: items
                .map(|item| json::object(&item))
                .collect::<Result<Vec<_>>>()?,
            errors,
        },
        columns: columns.to_vec(),
        names: names.collect(),
    })
}

fn insert(item: &mut Value, key: &str, value: Value) {
    if let Value::Object(members) = item {
        members.insert(key.to_owned(), value);
    }
}

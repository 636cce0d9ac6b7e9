//! The seam between commands and renderers: records in, the chosen format on stdout.

use std::collections::BTreeMap;

use crate::ambient::{Clock as _, Reporter as _};
use crate::app::App;
use crate::cli::DryRun;
use crate::engine::catalogue::Rentable;
use crate::error::{Error, Result};
use crate::model::{
    Backend, Event, FileEntry, Job, JobCost, Namespace, ResourceRef, TransferCredentials, Volume,
};
use crate::output::{self, Format, PlanEntry, PlanOutcome, Row, Style, Told};
use crate::provider::Provider;

use super::plan::Planned;

/// A job just submitted, and what the submit tells beside it.
#[derive(Debug)]
pub struct Submitted {
    pub job: Job,
    pub told: Told,
}

/// Writes results of one run.
#[derive(Debug)]
pub(super) struct Show<'a> {
    app: &'a App,
}

impl<'a> Show<'a> {
    /// Results of this run.
    pub(super) fn new(app: &'a App) -> Self {
        Self { app }
    }

    /// Whether results are text that is written as it comes, not one document at the end.
    pub(super) fn is_streaming_text(&self) -> bool {
        match self.app.ui.format() {
            Format::Table | Format::Wide | Format::Name | Format::Ndjson => true,
            Format::Json | Format::Csv | Format::Tsv => false,
        }
    }

    /// The rows of one provider, which ndjson prints as they come (cli.md §4).
    pub(super) fn piece(&self, print: impl FnOnce() -> Result<()>) {
        if self.app.ui.format() != Format::Ndjson {
            return;
        }
        if let Err(error) = print() {
            self.app
                .ui
                .warning(&format!("an answer could not be printed: {error}"));
        }
    }

    /// The rows of every provider, unless they were printed as they came.
    pub(super) fn whole(&self, print: impl FnOnce() -> Result<()>) -> Result<()> {
        match self.app.ui.format() {
            Format::Ndjson => Ok(()),
            Format::Table
            | Format::Wide
            | Format::Json
            | Format::Csv
            | Format::Tsv
            | Format::Name => print(),
        }
    }

    /// A job just submitted: its ref alone, or its record with what the submit tells beside it.
    pub(super) fn submitted(&self, job: &Job, told: &Told) -> Result<()> {
        let row = self.row(job)?;
        let text = output::render_submitted(&row, told, &self.app.ui.style())?;
        self.print(&text)
    }

    /// A change while waiting: one object a line under ndjson, else nothing.
    pub(super) fn changed(&self, job: &Job) {
        if self.app.ui.format() != Format::Ndjson {
            return;
        }
        let printed = self
            .row(job)
            .and_then(|row| output::job_line(&row, &self.app.ui.style()))
            .and_then(|line| self.print(&line));
        if let Err(error) = printed {
            self.app
                .ui
                .warning(&format!("a change could not be printed: {error}"));
        }
    }

    /// The records at the end of a wait. A submit has printed its ref already; under ndjson the changes said it all.
    pub(super) fn ended(&self, jobs: &[Job], submitted: Option<&Submitted>) -> Result<()> {
        match self.app.ui.format() {
            Format::Ndjson => Ok(()),
            Format::Table | Format::Wide | Format::Name if submitted.is_some() => {
                for job in jobs {
                    self.app.ui.note(&format!("{} {}", job.job_ref, job.state));
                }
                Ok(())
            }
            Format::Table | Format::Wide | Format::Name => self.jobs(jobs, &[]),
            Format::Json | Format::Csv | Format::Tsv => match (jobs, submitted) {
                (several, Some(submitted)) => several
                    .iter()
                    .try_for_each(|job| self.submitted(job, &submitted.told)),
                ([only], None) => self.job(only),
                (several, None) => self.jobs(several, &[]),
            },
        }
    }

    /// The records after a cancel; nothing when none could be read.
    pub(super) fn cancelled(&self, jobs: &[Job], errors: &[Error]) -> Result<()> {
        match jobs {
            [] if !errors.is_empty() => Ok(()),
            several => self.jobs(several, errors),
        }
    }

    /// The place of a file: the path alone, or an object of this kind under a JSON format.
    pub(super) fn path(&self, kind: &str, path: &str) -> Result<()> {
        let style = self.app.ui.style();
        if !style.format.is_json() {
            return self.print(&format!("{path}\n"));
        }
        let value = serde_json::json!({ "schema": format!("gpujob/{kind}/v1"), "path": path });
        self.print(&output::render_value(&value, &style)?)
    }

    /// One job in detail.
    pub(super) fn job(&self, job: &Job) -> Result<()> {
        let row = self.row(job)?;
        let text = output::render_job(&row, &self.app.ui.style(), self.app.clock.now())?;
        self.print(&text)
    }

    /// Several jobs.
    pub(super) fn jobs(&self, jobs: &[Job], errors: &[Error]) -> Result<()> {
        self.print(&self.text_of(jobs, errors)?)
    }

    /// The text of several jobs.
    pub(super) fn text_of(&self, jobs: &[Job], errors: &[Error]) -> Result<String> {
        let rows = jobs
            .iter()
            .map(|job| self.row(job))
            .collect::<Result<Vec<_>>>()?;
        output::render_jobs(&rows, errors, &self.app.ui.style(), self.app.clock.now())
    }

    /// What can be rented.
    pub(super) fn types(&self, offers: &[Rentable], errors: &[Error]) -> Result<()> {
        let rows: Vec<_> = offers
            .iter()
            .map(|row| Row::new(&row.provider, row.backend, &row.offer))
            .collect();
        let text = output::render_types(&rows, errors, &self.app.ui.style(), self.app.clock.now())?;
        self.print(&text)
    }

    /// What happened to a job.
    pub(super) fn events(&self, events: &[Event]) -> Result<()> {
        self.print(&output::render_events(events, &[], &self.app.ui.style())?)
    }

    /// What jobs have cost.
    pub(super) fn costs(&self, costs: &[JobCost], errors: &[Error]) -> Result<()> {
        let text = output::render_costs(costs, errors, &self.app.ui.style())?;
        self.print(&text)
    }

    /// Several volumes.
    pub(super) fn volumes(&self, volumes: &[(Backend, Volume)], errors: &[Error]) -> Result<()> {
        let rows: Vec<_> = volumes
            .iter()
            .map(|(backend, volume)| Row::new(&volume.volume_ref.provider, *backend, volume))
            .collect();
        let text = output::render_volumes(&rows, errors, &self.app.ui.style())?;
        self.print(&text)
    }

    /// One volume; with credentials only when it was created just now.
    pub(super) fn volume(
        &self,
        backend: Backend,
        volume: &Volume,
        credentials: Option<&TransferCredentials>,
    ) -> Result<()> {
        let row = Row::new(&volume.volume_ref.provider, backend, volume);
        let text = output::render_created_volume(&row, credentials, &self.app.ui.style())?;
        self.print(&text)
    }

    /// A volume whose credentials could not be kept: shown whole, whatever the format would leave out.
    pub(super) fn unkept_volume(
        &self,
        backend: Backend,
        volume: &Volume,
        credentials: &TransferCredentials,
    ) -> Result<()> {
        let style = whole(self.app.ui.style());
        let row = Row::new(&volume.volume_ref.provider, backend, volume);
        self.print(&output::render_created_volume(
            &row,
            Some(credentials),
            &style,
        )?)
    }

    /// What lies in a folder of a volume.
    pub(super) fn files(&self, volume: &ResourceRef, entries: &[FileEntry]) -> Result<()> {
        let text = output::render_files(volume, entries, &self.app.ui.style())?;
        self.print(&text)
    }

    /// A file that was moved; told on stdout only where a format was asked for.
    pub(super) fn file(&self, volume: &ResourceRef, entry: &FileEntry) -> Result<()> {
        self.print(&output::render_file(volume, entry, &self.app.ui.style())?)
    }

    /// Several namespaces.
    pub(super) fn namespaces(
        &self,
        namespaces: &[(String, Backend, Namespace)],
        errors: &[Error],
    ) -> Result<()> {
        let rows: Vec<_> = namespaces
            .iter()
            .map(|(provider, backend, namespace)| Row::new(provider, *backend, namespace))
            .collect();
        let text = output::render_namespaces(&rows, errors, &self.app.ui.style())?;
        self.print(&text)
    }

    /// A namespace just created.
    pub(super) fn namespace(
        &self,
        provider: &str,
        backend: Backend,
        namespace: &Namespace,
    ) -> Result<()> {
        let row = Row::new(provider, backend, namespace);
        let text = output::render_created_namespace(&row, &self.app.ui.style())?;
        self.print(&text)
    }

    /// What providers would receive.
    pub(super) fn plans(
        &self,
        plans: &[(&dyn Provider, Planned)],
        errors: &[Error],
        form: DryRun,
    ) -> Result<()> {
        let no_secrets = BTreeMap::new();
        let entries: Vec<PlanEntry<'_>> = plans
            .iter()
            .map(|(provider, planned)| PlanEntry {
                provider: provider.name(),
                backend: provider.backend(),
                scheme: provider.scheme(),
                outcome: match planned {
                    Planned::Ready(plan) => PlanOutcome::Planned(plan),
                    Planned::Refused(assessment) => PlanOutcome::Refused(assessment),
                },
                estimated_cost: match planned {
                    Planned::Ready(plan) => plan.bill().whole_run,
                    Planned::Refused(_) => None,
                },
                secrets: &no_secrets,
            })
            .collect();
        let text = match form {
            DryRun::Text => output::render_plans(&entries, errors, &self.app.ui.style())?,
            DryRun::Json => {
                let style = Style {
                    format: Format::Json,
                    ..self.app.ui.style()
                };
                output::render_plans(&entries, errors, &style)?
            }
            DryRun::Curl => output::render_curl(&entries),
        };
        self.print(&text)
    }

    fn row<'j>(&self, job: &'j Job) -> Result<Row<'j, Job>> {
        let provider = job.job_ref.provider.as_str();
        let backend = self.app.config()?.provider(provider)?.backend;
        Ok(Row::new(provider, backend, job))
    }

    fn print(&self, text: &str) -> Result<()> {
        self.app.ui.print(text)
    }
}

/// The style without `--jq`, and with a table in place of bare names: neither may hide what is shown only once.
fn whole(style: Style) -> Style {
    Style {
        format: match style.format {
            Format::Name => Format::Table,
            kept @ (Format::Table
            | Format::Wide
            | Format::Json
            | Format::Ndjson
            | Format::Csv
            | Format::Tsv) => kept,
        },
        jq: None,
        ..style
    }
}

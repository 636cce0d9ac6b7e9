//! `types`: what can be rented, on every provider, in one table.

use crate::app::App;
use crate::cli::TypesArgs;
use crate::engine::fanout::gather;
use crate::error::{Error, Kind, Result};
use crate::model::{Backend, Offer};
use crate::spec::GpuRequest;
use crate::spec::gpu::{GpuDifference, gpu_differences, parse_gpu_request};

use super::show::Show;
use super::status::finish;

/// Runs `types`.
pub async fn run(app: &App, args: &TypesArgs) -> Result<u8> {
    let interrupt = app.interrupt()?;
    let wanted = args.gpu.as_deref().map(Wanted::parse).transpose()?;
    let candidates = app.candidates()?;
    let gathered = tokio::select! {
        gathered = gather(&candidates, |provider| async move { Ok((provider.backend(), provider.types().await?)) }) => gathered,
        signal = interrupt.came() => return Err(signal.error("interrupted")),
    };
    if gathered.is_silent() {
        return Ok(finish(app, &gathered.errors, args.best_effort));
    }
    let rows: Vec<(String, Backend, Offer)> = gathered
        .answers
        .into_iter()
        .flat_map(|(name, (backend, offers))| {
            offers.into_iter().map(move |offer| (name.clone(), backend, offer))
        })
        .filter(|(_, _, offer)| wanted.as_ref().is_none_or(|wanted| wanted.fits(offer)))
        .collect();
    Show::new(app).types(&rows, &gathered.errors)?;
    Ok(finish(app, &gathered.errors, args.best_effort))
}

/// `--gpu` as a filter: without a count, types with any number of these cards are listed.
#[derive(Debug)]
struct Wanted {
    gpu: GpuRequest,
    any_count: bool,
}

impl Wanted {
    fn parse(text: &str) -> Result<Self> {
        let gpu = parse_gpu_request(text).map_err(|error| {
            Error::new(Kind::Usage, error.code, format!("--gpu: {}", error.message)).with_hint(error.hint)
        })?;
        Ok(Self {
            gpu,
            any_count: !text.contains(':'),
        })
    }

    fn fits(&self, offer: &Offer) -> bool {
        gpu_differences(&self.gpu, offer.gpu.as_ref())
            .iter()
            .all(|difference| self.any_count && matches!(difference, GpuDifference::Count { .. }))
    }
}

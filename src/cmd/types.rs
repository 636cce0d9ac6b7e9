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
    let wanted = args.gpu.as_deref().map(Wanted::parse).transpose()?;
    let wanted = wanted.as_ref();
    let candidates = app.candidates()?;
    let show = Show::new(app);
    let asking = gather(
        &candidates,
        |provider| async move {
            let offers = provider.types().await?;
            let rows: Vec<(String, Backend, Offer)> = offers
                .into_iter()
                .filter(|offer| wanted.is_none_or(|wanted| wanted.fits(offer)))
                .map(|offer| (provider.name().to_owned(), provider.backend(), offer))
                .collect();
            Ok(rows)
        },
        |rows: &Vec<(String, Backend, Offer)>| {
            show.piece(|| show.types(rows, &[]));
        },
    );
    let gathered = app.asking(&candidates, asking).await?;
    if gathered.is_silent() {
        return Ok(finish(app, &gathered.errors, args.best_effort));
    }
    let rows: Vec<_> = gathered
        .answers
        .into_iter()
        .flat_map(|(_, rows)| rows)
        .collect();
    show.whole(|| show.types(&rows, &gathered.errors))?;
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
            Error::new(Kind::Usage, error.code, format!("--gpu: {}", error.message))
                .with_hint(error.hint)
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

//! `types`: what can be rented, on every provider, in one table.

use crate::ambient::Reporter as _;
use crate::app::App;
use crate::cli::{Arch, TypesArgs, TypesSort};
use crate::config::Prices;
use crate::engine::catalogue::{Filter, GpuFilter, Rentable, Sort, sort};
use crate::engine::fanout::gather;
use crate::error::{Error, Kind, Result};
use crate::provider::Provider;
use crate::spec::units::{UnitError, parse_size};

use super::show::Show;
use super::status::finish;

/// Runs `types`.
pub async fn run(app: &App, args: &TypesArgs) -> Result<u8> {
    let filter = filter(args)?;
    let prices = app.prices()?;
    let candidates = app.candidates()?;
    let show = Show::new(app);
    // What has to be sorted can be printed only when all of it is there.
    let is_sorted = args.sort.is_some();
    let asking = gather(
        &candidates,
        |provider| async { ask(provider, prices).await.map(|rows| filter.apply(rows)) },
        |(rows, _)| {
            if !is_sorted {
                show.piece(|| show.types(rows, &[]));
            }
        },
    );
    let gathered = app.asking(&candidates, asking).await?;
    if gathered.is_silent() {
        return Ok(finish(app, &gathered.errors, args.best_effort));
    }
    let mut rows = Vec::new();
    for (_, (kept, notes)) in gathered.answers {
        rows.extend(kept);
        for note in notes {
            app.ui.note(&note);
        }
    }
    match args.sort {
        Some(key) => {
            if let Some(note) = sort(&mut rows, sort_key(key), args.spot) {
                app.ui.note(&note);
            }
            show.types(&rows, &gathered.errors)?;
        }
        None => show.whole(|| show.types(&rows, &gathered.errors))?,
    }
    Ok(finish(app, &gathered.errors, args.best_effort))
}

async fn ask(provider: &dyn Provider, prices: &Prices) -> Result<Vec<Rentable>> {
    let mut offers = provider.types().await?;
    prices.fill(provider.name(), provider.backend(), &mut offers);
    Ok(offers
        .into_iter()
        .map(|offer| Rentable {
            provider: provider.name().to_owned(),
            backend: provider.backend(),
            offer,
        })
        .collect())
}

fn sort_key(key: TypesSort) -> Sort {
    match key {
        TypesSort::Price => Sort::Price,
        TypesSort::Gpu => Sort::Gpu,
        TypesSort::Memory => Sort::Memory,
        TypesSort::Stock => Sort::Stock,
    }
}

/// The flags as a filter; what cannot be read is a usage error that names the flag.
fn filter(args: &TypesArgs) -> Result<Filter> {
    Ok(Filter {
        gpu: args
            .gpu
            .as_deref()
            .map(|text| GpuFilter::parse(text).map_err(|error| bad("--gpu", error)))
            .transpose()?,
        min_cpu: args.min_cpu.as_deref().map(cores).transpose()?,
        min_memory: args
            .min_memory
            .as_deref()
            .map(|text| parse_size(text).map_err(|error| bad("--min-memory", error)))
            .transpose()?,
        max_price: args
            .max_price
            .as_deref()
            .map(|text| {
                text.parse()
                    .map_err(|error| usage(format!("--max-price: {error}")))
            })
            .transpose()?,
        arch: args.arch.map(|arch| {
            match arch {
                Arch::Amd64 => "amd64",
                Arch::Arm64 => "arm64",
            }
            .to_owned()
        }),
        region: args.region.clone(),
        available: args.available,
        spot: args.spot,
    })
}

fn cores(text: &str) -> Result<f64> {
    text.parse::<f64>()
        .ok()
        .filter(|cores| cores.is_finite() && *cores > 0.0)
        .ok_or_else(|| {
            usage(format!("--min-cpu: `{text}` is no number of cores"))
                .with_hint("write a number above 0, such as `8`")
        })
}

fn bad(flag: &str, error: UnitError) -> Error {
    Error::new(
        Kind::Usage,
        error.code,
        format!("{flag}: {}", error.message),
    )
    .with_hint(error.hint)
}

fn usage(message: String) -> Error {
    Error::new(Kind::Usage, "bad_value", message)
}

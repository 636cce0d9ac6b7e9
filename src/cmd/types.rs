//! `types`: what can be rented, on every provider, in one table.

use std::time::Duration;

use crate::ambient::{Clock as _, Reporter as _};
use crate::app::{App, flag_duration};
use crate::cli::{Arch, TypesArgs, TypesSort};
use crate::config::Prices;
use crate::engine::catalogue::{Filter, GpuFilter, Rentable, Sort, sort};
use crate::engine::fanout::gather;
use crate::error::{Error, Kind, Result};
use crate::journal::{Account, Look, OfferCache, age_within};
use crate::model::Offer;
use crate::output::table::age;
use crate::provider::Provider;
use crate::spec::units::{UnitError, parse_size};

use super::show::Show;
use super::status::finish;

/// Runs `types`.
pub async fn run(app: &App, args: &TypesArgs) -> Result<u8> {
    let filter = filter(args)?;
    let last = LastAnswers::new(app, args)?;
    let prices = app.prices()?;
    let candidates = app.candidates()?;
    let show = Show::new(app);
    // What has to be sorted can be printed only when all of it is there.
    let is_sorted = args.sort.is_some();
    let asking = gather(
        &candidates,
        |provider| async {
            let (offers, from_cache) = last.or_ask(provider).await?;
            let (kept, left_out) = filter.apply(priced(provider, prices, offers));
            Ok((kept, from_cache.into_iter().chain(left_out).collect()))
        },
        |(rows, _): &(Vec<Rentable>, Vec<String>)| {
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

fn priced(provider: &dyn Provider, prices: &Prices, mut offers: Vec<Offer>) -> Vec<Rentable> {
    prices.fill(provider.name(), provider.backend(), &mut offers);
    offers
        .into_iter()
        .map(|offer| Rentable {
            provider: provider.name().to_owned(),
            backend: provider.backend(),
            offer,
        })
        .collect()
}

/// What providers offered when they were last asked: read only where `--max-age` allows it, written by every answer.
#[derive(Debug)]
struct LastAnswers<'a> {
    app: &'a App,
    /// `None` where there is no place for it.
    cache: Option<OfferCache>,
    max_age: Option<Duration>,
}

impl<'a> LastAnswers<'a> {
    fn new(app: &'a App, args: &TypesArgs) -> Result<Self> {
        let max_age = args
            .max_age
            .as_deref()
            .map(|text| flag_duration("--max-age", text))
            .transpose()?;
        Ok(Self {
            app,
            cache: app
                .environment
                .cache_directory()
                .map(|directory| OfferCache::new(&directory)),
            max_age: max_age.filter(|_| !args.refresh),
        })
    }

    /// The offers of a provider, with a note where they are not what it says now.
    async fn or_ask(&self, provider: &dyn Provider) -> Result<(Vec<Offer>, Option<String>)> {
        let Some(cache) = &self.cache else {
            return Ok((provider.types().await?, None));
        };
        let settings = self.app.config()?.provider(provider.name())?;
        let asked_at = self.app.clock.now();
        let account = Account::of(&settings, asked_at);
        if let Some(look) = self.young_enough(cache, &account) {
            let age = age(look.looked_at, asked_at);
            let note = format!("{}: from the cache, {age} old", provider.name());
            return Ok((look.offers, Some(note)));
        }
        let look = Look {
            looked_at: asked_at,
            offers: provider.types().await?,
        };
        if let Err(error) = cache.save(&account, &look) {
            let name = provider.name();
            self.app.ui.detail(
                1,
                &format!("the types of `{name}` are not kept for `--max-age`: {error}"),
            );
        }
        Ok((look.offers, None))
    }

    fn young_enough(&self, cache: &OfferCache, account: &Account) -> Option<Look> {
        let max_age = self.max_age?;
        let look = cache.load(account).unwrap_or_else(|why| {
            self.app.ui.detail(1, &why);
            None
        })?;
        age_within(look.looked_at, self.app.clock.now(), max_age)?;
        Some(look)
    }
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

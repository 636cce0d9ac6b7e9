//! What the job costs, once it is there: kept for `status`, and compared with what it was planned with.

use crate::ambient::Reporter as _;
use crate::app::App;
use crate::error::{Error, Kind, Result};
use crate::model::{Job, Money};
use crate::output::PriceCheck;
use crate::provider::{Plan, Provider};

use super::super::{cancel, driver};

/// Offers whose price the provider itself tells, so that it can be asked again.
const BY_PROVIDER: &str = "provider";

/// Notes the job's price, and reads it again where the provider tells it. A higher one is warned about. What fails here
/// is only told: the job runs.
pub(super) async fn check(
    app: &App,
    provider: &dyn Provider,
    plan: &Plan,
    job: &Job,
) -> Result<Option<PriceCheck>> {
    let Some(planned) = plan.bill().per_hour else {
        return Ok(None);
    };
    let source = plan
        .offer
        .as_ref()
        .and_then(|offer| offer.price_source.clone());
    let now = if source.as_deref() == Some(BY_PROVIDER) {
        let asking = app.with_progress("reading the price again", price_now(app, provider, plan));
        tokio::select! {
            now = asking => now,
            // The job is there: whoever waits for it tells of the signal.
            _ = app.interrupt()?.came() => None,
        }
    } else {
        None
    };
    let check = PriceCheck {
        planned,
        source,
        now,
    };
    if let (true, Some(now)) = (check.is_dearer(), &check.now) {
        app.ui.warning(&format!(
            "{} costs {now} per hour, more than the {} it was planned with",
            job.job_ref, check.planned
        ));
    }
    let latest = check.now.as_ref().unwrap_or(&check.planned);
    if let Err(error) = app
        .writable_journal()
        .and_then(|journal| journal.record_price(&job.job_ref, latest))
    {
        app.ui
            .warning(&format!("the price could not be noted: {error}"));
    }
    Ok(Some(check))
}

/// The whole job's price per hour, as the catalogue tells it now.
async fn price_now(app: &App, provider: &dyn Provider, plan: &Plan) -> Option<Money> {
    let planned = plan.offer.as_ref()?;
    match provider.types().await {
        Ok(offers) => offers
            .into_iter()
            .find(|offer| offer.id == planned.id)
            .and_then(|offer| offer.price_per_hour)
            .map(|price| price.times(plan.extent.at_a_time)),
        Err(error) => {
            app.ui.note(&format!(
                "the price of `{}` could not be read again: {error}",
                planned.id
            ));
            None
        }
    }
}

/// `--cancel-if-dearer`: stops the job, and tells how that went as the error the command ends with.
pub(super) async fn cancel(app: &App, job: &Job) -> Error {
    let stopping = async {
        let providers = app.providers_of([job.job_ref.provider.as_str()])?;
        let driver = driver(app, &providers, app.interrupt()?);
        cancel::one(app, &driver, &job.job_ref).await
    };
    let error = match stopping.await {
        Ok(_) => Error::new(
            Kind::JobCancelled,
            "dearer",
            format!(
                "{} was cancelled, since it costs more than it was planned with",
                job.job_ref
            ),
        )
        .with_hint(
            "submit again to take the new price, or set `--max-price` to what you would pay",
        ),
        Err(error) => {
            let message = format!(
                "{} costs more than it was planned with, and could not be cancelled: {error}",
                job.job_ref
            );
            error
                .with_message(message)
                .with_hint(format!("gpujob cancel {}", job.job_ref))
        }
    };
    error
        .with_provider(&job.job_ref.provider)
        .with_job(job.job_ref.to_string())
}

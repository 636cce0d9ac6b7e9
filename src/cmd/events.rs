//! `events`: what the provider says happened to a job, by time.

use crate::app::App;
use crate::cli::EventsArgs;
use crate::error::{Error, Result};
use crate::provider::Verb;

use super::refs;
use super::show::Show;
use super::volumes::unsupported;

/// Runs `events`.
pub async fn run(app: &App, args: &EventsArgs) -> Result<u8> {
    app.unless_interrupted("interrupted", tell(app, &args.job))
        .await
}

async fn tell(app: &App, text: &str) -> Result<u8> {
    let (job, providers) = refs::one(app, text, Verb::Events).await?;
    let provider = providers
        .get(&job.provider)
        .ok_or_else(|| Error::internal(format!("provider `{}` was not opened", job.provider)))?;
    let events = provider
        .events()
        .ok_or_else(|| unsupported(&**provider, Verb::Events).with_job(job.to_string()))?;
    let question = format!("asking {}", provider.name());
    let told = app
        .with_progress(&question, events.events_of(&job))
        .await
        .map_err(|error| error.with_job(job.to_string()))?;
    Show::new(app).events(&told)?;
    Ok(0)
}

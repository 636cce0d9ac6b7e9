//! `volumes ls|put|get|rm`: files in and out of volumes (cli.md §2 and §10 "Arguments").

mod local;
mod place;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::sleep;

use crate::ambient::{Clock as _, Reporter as _};
use crate::app::App;
use crate::cli::{VolumesGetArgs, VolumesLsArgs, VolumesPutArgs, VolumesRmArgs};
use crate::error::{Error, Result};
use crate::http::BodySource as _;
use crate::model::ResourceRef;
use crate::provider::{Files, Provider, Verb};
use crate::ui::Ui;

use super::show::Show;
use super::status::finish;
use super::volumes::{provider_of, resolved, unsupported};

use local::{Counted, Destination, LocalFile, StandardOutput};
use place::Place;

/// How often progress is shown, and how long nothing is.
const TICK: Duration = Duration::from_millis(200);

/// A volume that gives access to its files.
struct Volume {
    provider: Box<dyn Provider>,
    volume_ref: ResourceRef,
}

impl Volume {
    /// By full ref, or by bare id with `-p`; 81 where the provider gives no access (job-model.md §4).
    async fn open(app: &App, text: &str) -> Result<Self> {
        let (provider, volume_ref) = provider_of(app, text)?;
        if provider.files().is_none() {
            return Err(unsupported(&*provider, Verb::Files));
        }
        let volume_ref = match volume_ref {
            Some(volume_ref) => volume_ref,
            None => {
                app.unless_interrupted("interrupted", resolved(&*provider, text))
                    .await?
            }
        };
        Ok(Self {
            provider,
            volume_ref,
        })
    }

    fn files(&self) -> Result<&dyn Files> {
        self.provider
            .files()
            .ok_or_else(|| unsupported(&*self.provider, Verb::Files))
    }
}

/// Runs `volumes ls`.
pub(super) async fn list(app: &App, args: &VolumesLsArgs) -> Result<u8> {
    let place = Place::parse_or_root(&args.place)?;
    let volume = Volume::open(app, &place.volume).await?;
    let listing = volume.files()?.list(&volume.volume_ref, &place.path);
    let text = format!("listing {}", args.place);
    let entries = app
        .unless_interrupted("interrupted", app.with_progress(&text, listing))
        .await?;
    Show::new(app).files(&volume.volume_ref, &entries)?;
    Ok(0)
}

/// Runs `volumes put`.
pub(super) async fn put(app: &App, args: &VolumesPutArgs) -> Result<u8> {
    let place = Place::parse(&args.place)?;
    let path = place.for_file(local::name_of(&args.local))?;
    let volume = Volume::open(app, &place.volume).await?;
    let unsent = "interrupted; nothing was put there";
    let source = if args.local == "-" {
        // A request may have to be repeated, and its length stands before its bytes: so they are kept meanwhile.
        app.blocking(unsent, LocalFile::from_standard_input).await?
    } else {
        LocalFile::open(&args.local)?
    };
    let moved = Arc::new(AtomicU64::new(0));
    let length = source.length();
    let source = Counted::new(source, Arc::clone(&moved));
    let putting = volume.files()?.put(&volume.volume_ref, &path, &source);
    let text = format!("putting {} to {}:{path}", args.local, volume.volume_ref);
    let entry = app
        .unless_interrupted(
            unsent,
            with_bytes(app, &text, &moved, || Some(length), putting),
        )
        .await?;
    app.ui.note(&format!(
        "put {length} bytes to {}:{path}",
        volume.volume_ref
    ));
    Show::new(app).file(&volume.volume_ref, &entry)?;
    Ok(0)
}

/// Runs `volumes get`.
pub(super) async fn get(app: &App, args: &VolumesGetArgs) -> Result<u8> {
    let place = Place::parse(&args.place)?;
    let volume = Volume::open(app, &place.volume).await?;
    if args.local == "-" {
        let mut output = StandardOutput::new(&app.ui);
        let getting = volume
            .files()?
            .get(&volume.volume_ref, &place.path, &mut output);
        app.unless_interrupted("interrupted", getting).await?;
        return Ok(0);
    }
    let mut destination = Destination::new(&args.local, place.path.name())?;
    let (moved, length) = (destination.moved(), destination.length());
    let getting = volume
        .files()?
        .get(&volume.volume_ref, &place.path, &mut destination);
    let text = format!("getting {}", args.place);
    let told = move || match length.load(Ordering::Relaxed) {
        local::UNKNOWN => None,
        length => Some(length),
    };
    let entry = app
        .unless_interrupted(
            "interrupted; nothing was written",
            with_bytes(app, &text, &moved, told, getting),
        )
        .await?;
    let path = destination.finish()?;
    app.ui.note(&format!(
        "got {} bytes into {}",
        moved.load(Ordering::Relaxed),
        path.display()
    ));
    Show::new(app).file(&volume.volume_ref, &entry)?;
    Ok(0)
}

/// Runs `volumes rm`; what fails does not keep the others.
pub(super) async fn remove(app: &App, args: &VolumesRmArgs) -> Result<u8> {
    let places: Vec<Place> = args
        .places
        .iter()
        .map(|text| Place::parse(text))
        .collect::<Result<_>>()?;
    let mut errors: Vec<Error> = Vec::new();
    for place in &places {
        match remove_one(app, place, args.recursive).await {
            Ok(()) => {}
            Err(error) if error.is_interruption() => return Err(error),
            Err(error) => errors.push(error),
        }
    }
    Ok(finish(app, &errors, false))
}

async fn remove_one(app: &App, place: &Place, recursive: bool) -> Result<()> {
    let volume = Volume::open(app, &place.volume).await?;
    let what = format!("{}:{}", volume.volume_ref, place.path);
    let removing = volume
        .files()?
        .remove(&volume.volume_ref, &place.path, recursive);
    let unsure = format!("interrupted; {what} may be removed already");
    app.unless_interrupted(&unsure, removing).await?;
    app.ui.note(&format!("removed {what}"));
    Ok(())
}

/// Does `work` and shows how many bytes have gone, once there is time to see it.
async fn with_bytes<T>(
    app: &App,
    text: &str,
    moved: &AtomicU64,
    length: impl Fn() -> Option<u64>,
    work: impl Future<Output = T>,
) -> T {
    let mut work = std::pin::pin!(work);
    tokio::select! {
        outcome = &mut work => return outcome,
        () = sleep(TICK) => {}
    }
    let ui: &Ui = &app.ui;
    let mut task = ui.transfer(text, length(), app.clock.now());
    loop {
        tokio::select! {
            outcome = &mut work => return outcome,
            () = sleep(TICK) => {
                let bytes = moved.load(Ordering::Relaxed);
                task.set_bytes(bytes);
                task.update(&heartbeat(text, bytes, length()), app.clock.now());
            }
        }
    }
}

/// What a log is told about every minute.
fn heartbeat(text: &str, bytes: u64, length: Option<u64>) -> String {
    match length {
        Some(length) => format!("{text}: {bytes} of {length} bytes"),
        None => format!("{text}: {bytes} bytes"),
    }
}

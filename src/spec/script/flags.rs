//! `#GPUJOB` lines: the flags of `submit` that change the job.

use crate::spec::error::{Origin, SpecError};
use crate::spec::hint::nearest;
use crate::spec::{Overrides, SpotFlag};

/// Flags that take a value, and where it goes.
type Place = fn(&mut Overrides, String);

const VALUES: [(&str, Place); 25] = [
    ("--provider", |overrides, value| {
        overrides
            .providers
            .extend(value.split(',').map(str::to_owned));
    }),
    ("--name", |overrides, value| overrides.name = Some(value)),
    ("--image", |overrides, value| overrides.image = Some(value)),
    ("--gpu", |overrides, value| overrides.gpu = Some(value)),
    ("--type", |overrides, value| {
        overrides.instance_type = Some(value);
    }),
    ("--cpu", |overrides, value| overrides.cpu = Some(value)),
    ("--memory", |overrides, value| {
        overrides.memory = Some(value);
    }),
    ("--shm", |overrides, value| overrides.shm = Some(value)),
    ("--nodes", |overrides, value| overrides.nodes = Some(value)),
    ("--env", |overrides, value| overrides.env.push(value)),
    ("--secret", |overrides, value| overrides.secrets.push(value)),
    ("--mount", |overrides, value| overrides.mounts.push(value)),
    ("--port", |overrides, value| overrides.ports.push(value)),
    ("--time", |overrides, value| overrides.time = Some(value)),
    ("--job-retries", |overrides, value| {
        overrides.job_retries = Some(value);
    }),
    ("--priority", |overrides, value| {
        overrides.priority = Some(value);
    }),
    ("--label", |overrides, value| overrides.labels.push(value)),
    ("--workdir", |overrides, value| {
        overrides.workdir = Some(value);
    }),
    ("--set", |overrides, value| overrides.set.push(value)),
    ("--array", |overrides, value| overrides.array = Some(value)),
    ("--estimate", |overrides, value| {
        overrides.estimate = Some(value);
    }),
    ("--start-timeout", |overrides, value| {
        overrides.start_timeout = Some(value);
    }),
    ("--max-price", |overrides, value| {
        overrides.max_price = Some(value);
    }),
    ("--max-cost", |overrides, value| {
        overrides.max_cost = Some(value);
    }),
    ("--spot", |overrides, value| {
        overrides.spot = Some(SpotFlag::AtMost(value));
    }),
];

const SHORT: [(&str, &str); 2] = [("-p", "--provider"), ("-e", "--env")];

/// Reads the words of one line.
pub(super) fn read(words: &[String], origin: &Origin) -> Result<Overrides, SpecError> {
    let mut overrides = Overrides::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (name, attached) = match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
            Some(_) | None => (word.as_str(), None),
        };
        let name = SHORT
            .iter()
            .find(|(short, _)| *short == name)
            .map_or(name, |(_, long)| long);
        match (name, &attached) {
            ("--exit-code-carrier", None) => overrides.exit_code_carrier = true,
            ("--spot", None) => overrides.spot = Some(SpotFlag::Default),
            _ => {
                let Some((_, place)) = VALUES.iter().find(|(known, _)| *known == name) else {
                    return Err(unknown(name, origin));
                };
                let value = attached.or_else(|| words.next().cloned()).ok_or_else(|| {
                    SpecError::new("bad_value", origin, format!("`{name}` needs a value"))
                })?;
                place(&mut overrides, value);
            }
        }
    }
    Ok(overrides)
}

fn unknown(name: &str, origin: &Origin) -> SpecError {
    let known = VALUES
        .iter()
        .map(|(known, _)| *known)
        .chain(["--exit-code-carrier"]);
    let error = SpecError::new(
        "unknown_key",
        origin,
        format!("`{name}` is no flag that a `#GPUJOB` line takes"),
    );
    match nearest(name, known) {
        Some(near) => error.with_hint(format!("the nearest flag is `{near}`")),
        None => error.with_hint(
            "a `#GPUJOB` line takes the flags of `submit` that change the job; all others belong on the command line",
        ),
    }
}

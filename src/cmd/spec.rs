//! From the spec file and the flags of `submit` and `explain` to one job spec and the values it needs.

use std::collections::BTreeMap;
use std::path::Path;

use crate::ambient::Reporter as _;
use crate::app::App;
use crate::cli::SpecArgs;
use crate::config::resolve_secret;
use crate::engine::array::job_of;
use crate::error::{Error, Kind, Result};
use crate::provider::Policy;
use crate::secret::Secret;
use crate::spec::{self, Document, EnvFile, JobSpec, Overrides, SpotFlag};

/// A spec with what had to be looked up for it.
#[derive(Debug)]
pub struct Prepared {
    pub spec: JobSpec,
    pub policy: Policy,
    pub hash: [u8; 32],
}

impl Prepared {
    /// The job of one index of the array.
    pub fn job_of(&self, index: u32) -> Result<Self> {
        let spec = job_of(&self.spec, index)?;
        Ok(Self {
            hash: spec::spec_hash(&spec),
            policy: self.policy,
            spec,
        })
    }
}

/// Reads the file, applies the flags, and checks the result as far as it shows by itself.
pub fn prepare(app: &App, args: &SpecArgs) -> Result<Prepared> {
    let document = args.spec.as_deref().map(read_document).transpose()?;
    let overrides = overrides(args)?;
    let (spec, notes) = spec::assemble_noting(document.as_ref(), &overrides, &|name| {
        app.environment.variable(name).map(str::to_owned)
    })?;
    for note in notes {
        app.ui.note(&note);
    }
    let hash = spec::spec_hash(&spec);
    Ok(Prepared {
        policy: Policy {
            no_emulation: args.no_emulation,
            allow_secret_exposure: args.allow_secret_exposure,
            allow_partial: args.allow_partial,
        },
        hash,
        spec,
    })
}

/// The values of the spec's secrets, from this environment.
pub fn secrets(app: &App, spec: &JobSpec) -> Result<BTreeMap<String, Secret>> {
    spec.secrets
        .iter()
        .map(|name| match app.environment.variable(name) {
            Some(value) => Ok((name.clone(), Secret::new(value))),
            None => Err(Error::new(
                Kind::Spec,
                "missing_secret",
                format!("secret `{name}` is not set in this environment"),
            )
            .with_hint(format!("export {name} before submitting"))),
        })
        .collect()
}

/// The registry's password, if the spec names one.
pub fn registry_password(app: &App, spec: &JobSpec) -> Result<Option<Secret>> {
    let Some(login) = &spec.registry_auth else {
        return Ok(None);
    };
    resolve_secret(
        &login.password,
        "registry_auth.password",
        &app.environment,
        None,
    )
    .map(Some)
}

fn read_document(source: &str) -> Result<Document> {
    let text = if source == "-" {
        std::io::read_to_string(std::io::stdin())
    } else {
        std::fs::read_to_string(source)
    };
    let text = text.map_err(|error| {
        Error::new(
            Kind::Spec,
            "unreadable_spec",
            format!("job file `{source}` cannot be read: {error}"),
        )
    })?;
    Ok(Document {
        source: if source == "-" {
            "standard input".to_owned()
        } else {
            source.to_owned()
        },
        text,
        format: None,
    })
}

fn overrides(args: &SpecArgs) -> Result<Overrides> {
    let script = match args
        .script
        .as_deref()
        .map(|script| (script, script.strip_prefix('@')))
    {
        None => None,
        Some((_, Some(path))) => Some(read_flag_file("--script", Path::new(path))?),
        Some((text, None)) => Some(text.to_owned()),
    };
    let env_files = args
        .env_file
        .iter()
        .map(|path| {
            Ok(EnvFile {
                name: path.display().to_string(),
                text: read_flag_file("--env-file", path)?,
            })
        })
        .collect::<Result<_>>()?;
    Ok(Overrides {
        name: args.name.clone(),
        image: args.image.clone(),
        script,
        words: args.command.clone(),
        gpu: args.gpu.clone(),
        instance_type: args.instance_type.clone(),
        cpu: args.cpu.clone(),
        memory: args.memory.clone(),
        shm: args.shm.clone(),
        nodes: args.nodes.clone(),
        env: args.env.clone(),
        env_files,
        secrets: args.secret.clone(),
        mounts: args.mount.clone(),
        ports: args.port.clone(),
        time: args.time.clone(),
        job_retries: args.job_retries.clone(),
        spot: args.spot.as_deref().map(|limit| match limit {
            "" => SpotFlag::Default,
            limit => SpotFlag::AtMost(limit.to_owned()),
        }),
        priority: args.priority.clone(),
        labels: args.label.clone(),
        workdir: args.workdir.clone(),
        set: args.set.clone(),
        max_price: args.max_price.clone(),
        max_cost: args.max_cost.clone(),
        array: args.array.clone(),
        estimate: args.estimate.clone(),
        start_timeout: args.start_timeout.clone(),
        exit_code_carrier: args.exit_code_carrier,
        ..Overrides::default()
    })
}

fn read_flag_file(flag: &str, path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| {
        Error::new(
            Kind::Usage,
            "unreadable_file",
            format!("{flag}: `{}` cannot be read: {error}", path.display()),
        )
    })
}

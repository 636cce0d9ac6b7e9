//! Script mode: the job runs through a script that lies in a volume (paracloud.md §9.2; cli.md §10, "Small print").
//!
//! Pure. A job that needs it is rewritten into one that runs `sh …/run.sh`, which is all that Paracloud sees; what was
//! taken out of the job goes into files, put into the volume by WebDAV before the create.

use std::collections::BTreeMap;

use crate::http::BaseUrl;
use crate::model::{Marker, Refusal, RefusalCode, ResourceRef, Volume};
use crate::provider::{Assessment, PlanInput, Policy, Survey, Upload};
use crate::secret::Secret;
use crate::spec::quote::is_safe_word;
use crate::spec::{JobSpec, Mount, MountSource, Program, Timeout};
use crate::webdav::Requests;

use super::super::options::{self, Options};
use super::super::script::{self, Contents};
use super::{Home, program, storage};

/// Where the volume is mounted if the job does not mount it itself.
const MOUNT_PATH: &str = "/gpujob";
const VOLUME_OPTION: &str = "script_volume";

/// How much a job needs a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Need {
    /// Words say it all, or nothing could be mounted to hold a script.
    None,
    /// Words could be changed on the way, which is only warned about.
    Helpful,
    /// It cannot be expressed by words.
    Necessary,
}

/// What the spec tells about it.
pub(super) fn need(spec: &JobSpec, options: &Options) -> Need {
    let is_possible = options.script_volume.is_some() || !spec.mounts.is_empty();
    let has_program = matches!(spec.program, Program::Command(_) | Program::Script { .. });
    if !is_possible || !has_program {
        return Need::None;
    }
    let has_unsafe_words = match &spec.program {
        Program::Command(words) => program::has_unsafe_words(words, spec),
        Program::ImageDefault | Program::Script { .. } | Program::Arguments(_) => false,
    };
    let has_unsafe_variables = spec
        .env
        .iter()
        .any(|(name, value)| !is_safe_word(&format!("{name}={value}")));
    let is_necessary = options.script_volume.is_some()
        || matches!(spec.program, Program::Script { .. })
        || spec.workdir.is_some()
        || spec.exit_code_carrier
        || has_unsafe_variables
        || (has_unsafe_words && options.strict_argv == Some(true));
    if is_necessary {
        Need::Necessary
    } else if has_unsafe_words {
        Need::Helpful
    } else {
        Need::None
    }
}

/// A volume that can hold the script, and where the job sees it.
#[derive(Debug, Clone)]
pub(super) struct Holder {
    /// As a mount names it.
    source: MountSource,
    /// How to call it.
    label: String,
    path: String,
    /// Whether the job mounts it only for the script.
    is_extra: bool,
}

/// A volume and the address of its files.
#[derive(Debug, Clone)]
pub(super) struct Store {
    volume_ref: ResourceRef,
    base: BaseUrl,
}

/// The holder as far as the spec alone tells it: the option, else the first mount.
pub(super) fn expected(spec: &JobSpec, options: &Options) -> Option<Holder> {
    match &options.script_volume {
        Some(text) => {
            let source = named_source(text);
            let mounted = spec.mounts.iter().find(|mount| mount.source == source);
            Some(match mounted.and_then(Holder::mounted) {
                Some(holder) => holder,
                None => Holder::extra(source, text),
            })
        }
        None => spec.mounts.iter().find_map(Holder::mounted),
    }
}

/// The holder that the look found: the option's volume, else the first mounted one, with stored credentials.
pub(super) fn found(
    spec: &JobSpec,
    options: &Options,
    home: &Home<'_>,
    survey: &Survey,
) -> Option<(Holder, Store)> {
    let store = |volume: &Volume| {
        let base = survey.transfer.get(&volume.volume_ref)?;
        Some(Store {
            volume_ref: volume.volume_ref.clone(),
            base: base.clone(),
        })
    };
    let mounted = |mount: &Mount| {
        let volume = storage::volume_of(mount, home, &survey.volumes)?;
        Some((Holder::mounted(mount)?, store(volume)?))
    };
    let Some(text) = &options.script_volume else {
        return spec.mounts.iter().find_map(mounted);
    };
    let wanted = Holder::extra(named_source(text), text);
    let volume = storage::volume_of(&wanted.as_mount(), home, &survey.volumes)?;
    let already = spec.mounts.iter().find(|mount| {
        storage::volume_of(mount, home, &survey.volumes)
            .is_some_and(|other| other.volume_ref == volume.volume_ref)
    });
    match already {
        Some(mount) => mounted(mount),
        None => Some((wanted, store(volume)?)),
    }
}

/// The job as Paracloud sees it: the words that run the script, and the volume that holds it.
pub(super) fn rewritten(spec: &JobSpec, holder: &Holder, marker: &str) -> JobSpec {
    let mut rewritten = spec.clone();
    let run = script::run_path(&holder.path, marker);
    rewritten.program = Program::Command(vec!["sh".to_owned(), run]);
    rewritten.env.clear();
    rewritten.secrets.clear();
    rewritten.workdir = None;
    rewritten.exit_code_carrier = false;
    if matches!(rewritten.timeout, Timeout::After(seconds) if seconds > 0) {
        rewritten.timeout = Timeout::Unset;
    }
    if holder.is_extra {
        rewritten.mounts.push(holder.as_mount());
    }
    rewritten
}

/// Says what became of the fields that were taken out, and refuses what a script cannot do either.
pub(super) fn assess(spec: &JobSpec, holder: &Holder, policy: Policy, assessment: &mut Assessment) {
    let option = options::path(VOLUME_OPTION);
    // What the rewritten job's own words came to says nothing about the user's.
    assessment
        .report
        .retain(|line| line.field != "command" && line.field != option);
    rename_extra_mount(spec, holder, assessment);
    if Options::read(spec).0.script_volume.is_some() && !holder.is_extra {
        assessment.local(&option, "the script lies in this volume");
    }
    let volume = &holder.label;
    let (field, how) = match &spec.program {
        Program::Script { .. } => (
            "script",
            format!("script mode: a file in volume `{volume}`, run by `sh …/run.sh`"),
        ),
        Program::Command(_) | Program::ImageDefault | Program::Arguments(_) => (
            "command",
            format!(
                "script mode: the words in a script in volume `{volume}`, run by `sh …/run.sh`"
            ),
        ),
    };
    assessment.emulated(field, how, &policy);
    for (is_set, field, how) in [
        (
            !spec.env.is_empty(),
            "env",
            "exported by the script".to_owned(),
        ),
        (
            spec.workdir.is_some(),
            "workdir",
            "the script changes to it first".to_owned(),
        ),
        (
            spec.exit_code_carrier,
            "exit_code_carrier",
            "the script writes the exit code beside its logs".to_owned(),
        ),
        (
            matches!(spec.timeout, Timeout::After(seconds) if seconds > 0),
            "timeout",
            "`timeout SECONDS` in the script".to_owned(),
        ),
    ] {
        if is_set {
            assessment.emulated(field, how, &policy);
        }
    }
    assess_secrets(spec, volume, policy, assessment);
    assess_path(holder, assessment);
    if !policy.no_emulation {
        let timeout = if matches!(spec.timeout, Timeout::After(_)) {
            " and `timeout`"
        } else {
            ""
        };
        assessment.note(format!(
            "script mode: the image needs `sh`{timeout}; script, logs and exit code stay in `/{}` of volume `{volume}` \
             until you remove them",
            script::FOLDER
        ));
    }
}

/// Refuses the option's volume where its files cannot be reached from here. Without the option, what needs a script is
/// refused as for words.
pub(super) fn refuse_unreachable(options: &Options, assessment: &mut Assessment) {
    let Some(volume) = &options.script_volume else {
        return;
    };
    let option = options::path(VOLUME_OPTION);
    assessment.report.retain(|line| line.field != option);
    assessment.refuse(
        Refusal::new(
            RefusalCode::VolumeMismatch,
            option,
            format!(
                "the job's namespace has no volume `{volume}` whose transfer credentials this machine keeps"
            ),
        )
        .with_alternative(
            "name one that `gpujob volumes list -o wide` shows with `webdav`; `gpujob volumes create` makes one",
        ),
    );
}

/// Refuses secrets without a value, which only a submit knows. Never names a value.
pub(super) fn assess_secret_values(
    spec: &JobSpec,
    values: &BTreeMap<String, Secret>,
    assessment: &mut Assessment,
) {
    for name in &spec.secrets {
        if !values.contains_key(name) {
            program::refuse_unset_secret(name, assessment);
        }
    }
}

/// The files, folders first.
pub(super) fn uploads(input: &PlanInput<'_>, store: &Store) -> Vec<Upload> {
    let contents = Contents::of(input.spec, input.secrets);
    script::requests(&Requests::new(store.base.clone()), input.marker, contents)
        .into_iter()
        .map(|request| Upload {
            volume: store.volume_ref.clone(),
            request,
        })
        .collect()
}

/// The marker's place before there is a marker: as long, and as safe.
pub(super) fn placeholder() -> String {
    Marker::random([0; 16], &[0; 32]).to_string()
}

impl Holder {
    fn mounted(mount: &Mount) -> Option<Self> {
        Some(Self {
            source: mount.source.clone(),
            label: label(&mount.source),
            path: mount.path.clone()?,
            is_extra: false,
        })
    }

    fn extra(source: MountSource, label: &str) -> Self {
        Self {
            source,
            label: label.to_owned(),
            path: MOUNT_PATH.to_owned(),
            is_extra: true,
        }
    }

    fn as_mount(&self) -> Mount {
        Mount {
            source: self.source.clone(),
            path: Some(self.path.clone()),
            readonly: false,
            subpath: None,
        }
    }
}

/// A ref, or a bare id.
fn named_source(text: &str) -> MountSource {
    match text.parse::<ResourceRef>() {
        Ok(volume) if text.contains('/') => MountSource::Ref(volume),
        Ok(_) | Err(_) => MountSource::Id(text.to_owned()),
    }
}

fn label(source: &MountSource) -> String {
    match source {
        MountSource::Ref(volume) => volume.to_string(),
        MountSource::Id(id) | MountSource::Typed { id, .. } => id.clone(),
        MountSource::Uri(uri) => uri.clone(),
    }
}

/// The mount that the user did not write is told under the option that asked for it.
pub(super) fn rename_extra_mount(spec: &JobSpec, holder: &Holder, assessment: &mut Assessment) {
    if !holder.is_extra {
        return;
    }
    let mount = format!("mounts[{}]", spec.mounts.len());
    let option = options::path(VOLUME_OPTION);
    let is_extra = |field: &str| field.starts_with(&mount);
    for line in &mut assessment.report {
        if is_extra(&line.field) {
            line.field.clone_from(&option);
        }
    }
    for refusal in &mut assessment.refusals {
        if is_extra(&refusal.field) {
            refusal.field.clone_from(&option);
        }
    }
}

fn assess_secrets(spec: &JobSpec, volume: &str, policy: Policy, assessment: &mut Assessment) {
    if spec.secrets.is_empty() {
        return;
    }
    program::refuse_doubled_secrets(spec, assessment);
    let names = spec.secrets.join("`, `");
    if policy.allow_secret_exposure {
        assessment.emulated(
            "secrets",
            format!("a file in volume `{volume}` that the script reads and removes: `{names}`"),
            &policy,
        );
        assessment.note(format!(
            "the values of `{names}` lie in volume `{volume}` until the job has begun, or is seen to have ended"
        ));
    } else {
        assessment.refuse(
            Refusal::new(
                RefusalCode::SecretExposure,
                "secrets",
                format!("the values of `{names}` would lie readable in volume `{volume}` until the job has begun, or is seen to have ended"),
            )
            .with_alternative(
                "have the command read them from a file in a mounted volume, or accept it with `--allow-secret-exposure`",
            ),
        );
    }
}

/// The path stands among the words, where a shell may see it (§4.2).
fn assess_path(holder: &Holder, assessment: &mut Assessment) {
    if !is_safe_word(&holder.path) {
        assessment.refuse(
            Refusal::new(
                RefusalCode::UnsupportedValue,
                "mounts",
                format!(
                    "the script lies under `{}`, and that path holds characters that a shell could change",
                    holder.path.escape_debug()
                ),
            )
            .with_alternative("mount the volume at a path such as `/data`"),
        );
    }
}

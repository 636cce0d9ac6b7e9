//! Mounts and ports (job-model.md §2.5, cli.md §10).

use crate::model::ResourceRef;
use crate::spec::error::SpecError;
use crate::spec::hint::nearest;
use crate::spec::model::{Mount, MountSource, Port};
use crate::spec::tree::shorten;

use super::fields::Field;

/// Kinds of storage that a source can name before a colon.
const KINDS: [&str; 7] = ["volume", "object", "share", "nas", "dataset", "disk", "nfs"];

pub(super) fn mounts(field: &Field<'_>) -> Result<Vec<Mount>, SpecError> {
    field.items()?.iter().map(mount).collect()
}

fn mount(field: &Field<'_>) -> Result<Mount, SpecError> {
    let fields = field.fields(&["source", "path", "readonly", "subpath"])?;
    Ok(Mount {
        source: source(&fields.require("source")?)?,
        path: fields.read("path", Field::absolute_path)?,
        readonly: fields.read("readonly", Field::boolean)?.unwrap_or_default(),
        subpath: fields.read("subpath", Field::text)?,
    })
}

fn source(field: &Field<'_>) -> Result<MountSource, SpecError> {
    let text = field.identifier()?;
    let text = text.trim();
    if text.contains("://") {
        return Ok(MountSource::Uri(text.to_owned()));
    }
    if let Some((kind, rest)) = text.split_once(':').filter(|(kind, _)| !kind.contains('/')) {
        return typed(field, kind, rest);
    }
    if text.contains('/') {
        return text
            .parse::<ResourceRef>()
            .map(MountSource::Ref)
            .map_err(|error| {
                field.bad_value(
                    &format!("is no source: {error}"),
                    "write a volume ref, an id, `KIND:ID`, or a URI such as `nfs://ADDRESS/EXPORT`",
                )
            });
    }
    Ok(MountSource::Id(text.to_owned()))
}

fn typed(field: &Field<'_>, kind: &str, rest: &str) -> Result<MountSource, SpecError> {
    if !KINDS.contains(&kind) {
        let hint = match nearest(kind, KINDS) {
            Some(near) => format!("did you mean `{near}:{rest}`?"),
            None => format!("the kinds are {}", KINDS.join(", ")),
        };
        return Err(field.bad_value(
            &format!(
                "begins with `{}`, which is no kind of storage",
                shorten(kind)
            ),
            &hint,
        ));
    }
    let incomplete = || {
        field.bad_value(
            &format!("names no {kind} after the colon"),
            "write `KIND:ID`, such as `volume:x7m4tzb9`",
        )
    };
    if kind == "nfs" {
        // The job model's `nfs:ADDRESS:EXPORT` is the URI of cli.md §10 in other letters.
        let (address, export) = rest
            .split_once(":/")
            .filter(|(address, _)| !address.is_empty())
            .ok_or_else(|| field.bad_value("is no NFS export", "write `nfs://ADDRESS/EXPORT`"))?;
        return Ok(MountSource::Uri(format!("nfs://{address}/{export}")));
    }
    let (id, version) = match rest.split_once(':') {
        Some((id, version)) => (id, Some(version)),
        None => (rest, None),
    };
    if id.is_empty() || version.is_some_and(str::is_empty) {
        return Err(incomplete());
    }
    Ok(MountSource::Typed {
        kind: kind.to_owned(),
        id: id.to_owned(),
        version: version.map(str::to_owned),
    })
}

pub(super) fn ports(field: &Field<'_>) -> Result<Vec<Port>, SpecError> {
    field.items()?.iter().map(port).collect()
}

fn port(field: &Field<'_>) -> Result<Port, SpecError> {
    const HINT: &str = "write `{ name: web, https: true }`, whose number the provider chooses, or `{ port: 8080 }`";
    let fields = field.fields(&["name", "https", "port"])?;
    fields.refuse_both("name", "port", HINT)?;
    fields.refuse_both("https", "port", HINT)?;
    if let Some(number) = fields.read("port", |number| number.whole(1, u16::MAX))? {
        return Ok(Port::Fixed(number));
    }
    let Some(name) = fields.get("name") else {
        return Err(field
            .error(
                "missing_field",
                format!("`{}` has neither a name nor a number", field.path),
            )
            .with_hint(HINT));
    };
    let text = name.text()?;
    if !text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    {
        return Err(name.bad_value(
            &format!("is `{}`", shorten(&text)),
            "write letters, digits, `-` and `_`",
        ));
    }
    Ok(Port::Named {
        name: text,
        https: fields.read("https", Field::boolean)?.unwrap_or_default(),
    })
}

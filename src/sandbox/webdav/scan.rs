//! The body of a `PROPFIND` (RFC 4918 §9.1, §14.20): which properties are asked for. Pure.
//!
//! It reads as much XML as such a body has: elements, namespaces, comments. A document type is refused, since entities
//! come with it.

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    All,
    /// The names of properties without their values.
    Names,
    These(Vec<Property>),
}

/// A property by its namespace and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Property {
    pub(super) namespace: String,
    pub(super) name: String,
}

/// The namespace of WebDAV itself.
pub(super) const DAV: &str = "DAV:";

/// An element that is open, with the namespaces that it declares.
#[derive(Debug)]
struct Open<'a> {
    raw: &'a str,
    property: Property,
    declared: Vec<(&'a str, &'a str)>,
}

/// Reads a body; an empty one asks for all.
pub(super) fn wanted(body: &str) -> Result<Wanted, &'static str> {
    let mut rest = body.trim_start_matches('\u{feff}').trim();
    if rest.is_empty() {
        return Ok(Wanted::All);
    }
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut found: Option<Wanted> = None;
    let mut has_root = false;
    while let Some(start) = rest.find('<') {
        let (text, tag) = rest.split_at_checked(start).ok_or("torn text")?;
        if open.is_empty() && !text.trim().is_empty() {
            return Err("there is text outside of the element");
        }
        if let Some(comment) = tag.strip_prefix("<!--") {
            rest = comment.split_once("-->").ok_or("a comment has no end")?.1;
            continue;
        }
        if let Some(instruction) = tag.strip_prefix("<?") {
            rest = instruction
                .split_once("?>")
                .ok_or("an instruction has no end")?
                .1;
            continue;
        }
        if tag.starts_with("<!") {
            return Err("a document type has no place here");
        }
        let (inner, after) = tag
            .get(1..)
            .and_then(|tag| tag.split_once('>'))
            .ok_or("a tag has no end")?;
        rest = after;
        if let Some(name) = inner.strip_prefix('/') {
            let ended = open.pop().ok_or("an element ends that is not open")?;
            if ended.raw != name.trim() {
                return Err("an element ends with another's name");
            }
            continue;
        }
        if open.is_empty() && has_root {
            return Err("there are two elements");
        }
        has_root = true;
        let is_empty = inner.ends_with('/');
        let element = element(inner.trim_end_matches('/'), &open)?;
        note(&element, &open, &mut found)?;
        if !is_empty {
            open.push(element);
        }
    }
    if !open.is_empty() || !has_root || !rest.trim().is_empty() {
        return Err("the element has no end");
    }
    found.ok_or("it asks for nothing: `allprop`, `propname` and `prop` are missing")
}

/// What an element inside the open ones says.
fn note(
    element: &Open<'_>,
    open: &[Open<'_>],
    found: &mut Option<Wanted>,
) -> Result<(), &'static str> {
    let is_dav = element.property.namespace == DAV;
    match open {
        [] if is_dav && element.property.name == "propfind" => Ok(()),
        [] => Err("the element is not `propfind` of the namespace `DAV:`"),
        [_] if is_dav => {
            match element.property.name.as_str() {
                "allprop" => *found = Some(Wanted::All),
                "propname" => *found = Some(Wanted::Names),
                "prop" => *found = Some(Wanted::These(Vec::new())),
                _ => {}
            }
            Ok(())
        }
        [_, parent] if parent.property.name == "prop" && parent.property.namespace == DAV => {
            if let Some(Wanted::These(properties)) = found {
                properties.push(element.property.clone());
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn element<'a>(text: &'a str, open: &[Open<'a>]) -> Result<Open<'a>, &'static str> {
    let text = text.trim_end();
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (raw, attributes) = text.split_at_checked(end).ok_or("torn text")?;
    let declared = namespaces(attributes)?;
    let (prefix, name) = raw.split_once(':').unwrap_or(("", raw));
    if name.is_empty() {
        return Err("an element has no name");
    }
    let known = declared
        .iter()
        .chain(open.iter().rev().flat_map(|open| &open.declared))
        .find(|(known, _)| *known == prefix);
    let namespace = match known {
        Some((_, namespace)) => *namespace,
        None if prefix.is_empty() => "",
        None => return Err("a prefix has no namespace"),
    };
    Ok(Open {
        raw,
        property: Property {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        },
        declared,
    })
}

/// Prefixes and their namespaces; the default one has an empty prefix.
fn namespaces(mut attributes: &str) -> Result<Vec<(&str, &str)>, &'static str> {
    let mut declared = Vec::new();
    loop {
        attributes = attributes.trim_start();
        if attributes.is_empty() {
            return Ok(declared);
        }
        let (name, value) = attributes
            .split_once('=')
            .ok_or("an attribute has no value")?;
        let value = value.trim_start();
        let quote = value
            .chars()
            .next()
            .filter(|quote| ['"', '\''].contains(quote))
            .ok_or("a value is not in quotation marks")?;
        let (value, after) = value
            .get(1..)
            .and_then(|value| value.split_once(quote))
            .ok_or("a value has no end")?;
        attributes = after;
        let name = name.trim();
        if name == "xmlns" {
            declared.push(("", value));
        } else if let Some(prefix) = name.strip_prefix("xmlns:") {
            declared.push((prefix, value));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn these(properties: &[(&str, &str)]) -> Wanted {
        let property = |(namespace, name): &(&str, &str)| Property {
            namespace: (*namespace).to_owned(),
            name: (*name).to_owned(),
        };
        Wanted::These(properties.iter().map(property).collect())
    }

    #[rstest]
    #[case("", Wanted::All)]
    #[case("<propfind xmlns='DAV:'><allprop/></propfind>", Wanted::All)]
    #[case(
        "<?xml version=\"1.0\"?>\n<D:propfind xmlns:D=\"DAV:\"><D:propname /></D:propfind>\n",
        Wanted::Names
    )]
    #[case(
        "<d:propfind xmlns:d='DAV:' xmlns:oc='http://owncloud.org/ns'><!-- x > y --><d:prop><d:getetag/>\
         <oc:checksums></oc:checksums><plain/></d:prop></d:propfind>",
        these(&[("DAV:", "getetag"), ("http://owncloud.org/ns", "checksums"), ("", "plain")])
    )]
    #[case(
        "<propfind xmlns='DAV:'><prop><getetag/><x xmlns='urn:x'/></prop></propfind>",
        these(&[("DAV:", "getetag"), ("urn:x", "x")])
    )]
    fn a_body_says_what_is_asked_for(#[case] body: &str, #[case] expected: Wanted) {
        assert_eq!(wanted(body), Ok(expected));
    }

    #[rstest]
    #[case("hello")]
    #[case("<propfind><allprop/></propfind>")]
    #[case("<D:propfind xmlns='DAV:'><allprop/></D:propfind>")]
    #[case("<propfind xmlns='DAV:'><allprop/>")]
    #[case("<propfind xmlns='DAV:'><allprop></propfind></allprop>")]
    #[case("<propfind xmlns='DAV:'/>")]
    #[case("<propfind xmlns='DAV:'><allprop/></propfind><propfind xmlns='DAV:'/>")]
    #[case("<!DOCTYPE x [<!ENTITY a 'b'>]><propfind xmlns='DAV:'><allprop/></propfind>")]
    #[case("<propfind xmlns=DAV:><allprop/></propfind>")]
    #[case("<prop xmlns='DAV:'/>")]
    fn what_is_no_propfind_is_refused(#[case] body: &str) {
        assert!(wanted(body).is_err(), "{body}");
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in "[<>/?!=:'\" a-c\u{e9}-]{0,60}") {
            let _either = wanted(&body);
        }
    }
}

use proptest::prelude::*;
use rstest::rstest;

use super::*;

fn position(error: &SpecError) -> (usize, usize) {
    match &error.origin {
        Origin::Document(Position { line, column }) => (*line, *column),
        Origin::Flag(flag) => panic!("{flag}"),
    }
}

fn at(node: &Node) -> (usize, usize) {
    match &node.origin {
        Origin::Document(Position { line, column }) => (*line, *column),
        Origin::Flag(flag) => panic!("{flag}"),
    }
}

#[rstest]
#[case("job.yaml", Some(Format::Yaml))]
#[case("dir.d/job.YML", Some(Format::Yaml))]
#[case("job.toml", Some(Format::Toml))]
#[case("job.json", Some(Format::Json))]
#[case("train.sh", None)]
#[case("-", None)]
fn a_name_tells_the_format(#[case] name: &str, #[case] format: Option<Format>) {
    assert_eq!(Format::of_name(name), format);
}

#[rstest]
#[case("image: x\n", Format::Yaml)]
#[case("# a = b\nimage: x=y\n", Format::Yaml)]
#[case("---\nimage: x\n", Format::Yaml)]
#[case("{image: x}", Format::Yaml)]
#[case("  {\n \"image\": \"x\"}", Format::Json)]
#[case("{}", Format::Json)]
#[case("# c\n\nimage = 'x'\n", Format::Toml)]
#[case("\u{feff}resources.cpu = 2", Format::Toml)]
#[case("[resources]\ncpu = 2", Format::Toml)]
#[case("", Format::Yaml)]
fn a_look_tells_the_format(#[case] text: &str, #[case] format: Format) {
    assert_eq!(Format::of_look(text), format);
}

#[rstest]
#[case(Format::Yaml, "a:\n  é: [1, 2.50]\n")]
#[case(Format::Toml, "[a]\n  é = [1, 2.50]\n")]
#[case(Format::Json, "{\"a\": {\n  \"é\": [1, 2.50]}}")]
fn values_know_where_they_stand_and_how_they_were_written(
    #[case] format: Format,
    #[case] text: &str,
) {
    let root = match format {
        // A bare `é` is no TOML key.
        Format::Toml => document(&text.replace("é", "\"é\""), format),
        Format::Yaml | Format::Json => document(text, format),
    }
    .unwrap();
    let list = root.get("a").unwrap().get("é").unwrap();
    let Content::List(items) = &list.content else {
        panic!("{list:?}");
    };
    assert_eq!(at(&items[1]).0, 2);
    assert_eq!(at(&items[1]).1, at(&items[0]).1 + 3);
    assert_eq!(items[0].content, Content::Number("1".to_owned()));
    assert_eq!(items[1].content, Content::Number("2.50".to_owned()));
}

#[test]
fn yaml_scalars_are_those_of_yaml_1_2() {
    let text = "a: yes\nb: 1_000\nc: 007\nd: 1:30:00\ne: True\nf: 123e4567\ng: ~\nh: 0x1F\ni: .5 # c\nj: '5'\n";
    let root = document(text, Format::Yaml).unwrap();
    let content = |key: &str| root.get(key).unwrap().content.clone();
    for (key, text) in [
        ("a", "yes"),
        ("b", "1_000"),
        ("c", "007"),
        ("d", "1:30:00"),
        ("j", "5"),
    ] {
        assert_eq!(content(key), Content::Text(text.to_owned()), "{key}");
    }
    for (key, text) in [("f", "123e4567"), ("h", "0x1F"), ("i", ".5")] {
        assert_eq!(content(key), Content::Number(text.to_owned()), "{key}");
    }
    assert_eq!(
        content("e"),
        Content::Bool {
            value: true,
            text: "True".to_owned()
        }
    );
    assert_eq!(content("g"), Content::Null);
}

#[test]
fn anchors_and_merges_are_followed() {
    let text = "base: &base {x: 1, y: 1.50}\nother:\n  <<: *base\n  x: 2\nword: &word 3e-5\nagain: *word\n";
    let root = document(text, Format::Yaml).unwrap();
    let other = root.get("other").unwrap();
    assert_eq!(
        other.get("x").unwrap().content,
        Content::Number("2".to_owned())
    );
    assert_eq!(
        other.get("y").unwrap().content,
        Content::Number("1.50".to_owned())
    );
    assert_eq!(
        root.get("again").unwrap().content,
        Content::Number("3e-5".to_owned())
    );
}

#[rstest]
#[case(Format::Yaml, "a: 1\nb: [1,\nc: 2\n", "syntax", 2)]
#[case(Format::Yaml, "a: b: c\n", "syntax", 1)]
#[case(Format::Yaml, "a: 1\n---\nb: 2\n", "syntax", 3)]
#[case(Format::Yaml, "a: 1\nb: 2\na: 3\n", "duplicate_key", 3)]
#[case(Format::Yaml, "- a\n", "wrong_type", 1)]
#[case(Format::Yaml, "# nothing\n", "empty_document", 2)]
#[case(Format::Toml, "a = 1\nb = \n", "syntax", 2)]
#[case(Format::Toml, "a = 1\na = 2\n", "syntax", 2)]
#[case(Format::Toml, "", "empty_document", 1)]
#[case(Format::Json, "{\"a\": 1,\n \"b\": }", "syntax", 2)]
#[case(Format::Json, "{\"a\": 1,\n \"a\": 2}", "duplicate_key", 2)]
#[case(Format::Json, "{\"a\": 1} x", "syntax", 1)]
#[case(Format::Json, "[1]", "wrong_type", 1)]
#[case(Format::Json, "{}", "empty_document", 1)]
#[case(Format::Json, "", "syntax", 1)]
fn broken_documents_are_refused_with_a_line(
    #[case] format: Format,
    #[case] text: &str,
    #[case] code: &str,
    #[case] line: usize,
) {
    let error = document(text, format).unwrap_err();
    assert_eq!((error.code, position(&error).0), (code, line), "{error}");
    assert!(!error.message.contains('\n'), "{error}");
    assert!(!error.message.contains(" at line "), "{error}");
}

#[test]
fn a_document_nested_too_deeply_is_refused_and_does_not_overflow() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(document(&deep, Format::Json).is_err());
    assert!(document(&deep, Format::Yaml).is_err());
    let deep = format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(document(&deep, Format::Toml).is_err());
}

/// The tree as JSON, for comparison with another reader of JSON.
fn json(node: &Node) -> serde_json::Value {
    use serde_json::Value;
    match &node.content {
        Content::Null => Value::Null,
        Content::Bool { value, .. } => Value::Bool(*value),
        Content::Number(text) => serde_json::from_str(text).unwrap(),
        Content::Text(text) | Content::Word(text) => Value::String(text.clone()),
        Content::List(items) => items.iter().map(json).collect(),
        Content::Map(entries) => entries
            .iter()
            .map(|entry| (entry.key.clone(), json(&entry.node)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    }
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|map| { serde_json::Value::Object(map.into_iter().collect()) }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn json_is_read_as_serde_json_reads_it(value in any_json(), pretty in any::<bool>()) {
        let wrapped = serde_json::json!({ "value": value });
        let text = if pretty {
            serde_json::to_string_pretty(&wrapped).unwrap()
        } else {
            wrapped.to_string()
        };
        prop_assert_eq!(json(&document(&text, Format::Json).unwrap()), wrapped);
    }

    #[test]
    fn no_text_makes_a_parser_panic(
        text in any::<String>(),
        near in "([\\[\\]{}:,\"'#&*!|>%@=\\\\-]|a|[0-9]|\n|  |e|null|true){0,24}",
    ) {
        for format in [Format::Yaml, Format::Toml, Format::Json, Format::of_look(&near)] {
            drop(document(&text, format));
            drop(document(&near, format));
        }
    }
}

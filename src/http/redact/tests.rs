use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;

use super::*;

fn shown(value: &Value) -> Value {
    let text = body(value.to_string().as_bytes()).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn only_headers_of_the_allow_list_are_shown() {
    let mut map = HeaderMap::new();
    map.insert("host", HeaderValue::from_static("h"));
    map.insert("authorization", HeaderValue::from_static("Bearer hunter2"));
    map.insert("x-acs-security-token", HeaderValue::from_static("hunter2"));
    map.insert("set-cookie", HeaderValue::from_static("hunter2"));
    map.insert("x-new", HeaderValue::from_static("hunter2"));
    let lines = headers(&map);
    assert!(lines.contains(&"host: h".to_owned()));
    assert!(!lines.join("\n").contains("hunter2"), "{lines:?}");
    assert_eq!(
        lines
            .iter()
            .filter(|line| line.contains(": <masked "))
            .count(),
        4
    );
}

#[test]
fn a_value_marked_sensitive_is_masked_whatever_its_name() {
    let mut value = HeaderValue::from_static("hunter2");
    value.set_sensitive(true);
    let mut map = HeaderMap::new();
    map.insert("server", value);
    assert_eq!(headers(&map), [format!("server: {}", masked(b"hunter2"))]);
}

#[test]
fn equal_values_have_equal_marks_and_others_differ() {
    assert_eq!(masked(b"a"), masked(b"a"));
    assert_ne!(masked(b"a"), masked(b"b"));
    assert_eq!(masked(b"a").len(), "<masked 0123>".len());
}

#[rstest]
#[case("password")]
#[case("AccessKeySecret")]
#[case("access_key_id")]
#[case("SecurityToken")]
#[case("api-key")]
#[case("HF_TOKEN")]
#[case("private_key")]
fn names_of_secrets_are_known(#[case] name: &str) {
    let scrubbed = shown(&json!({ "outer": [{ name: "hunter2" }] }));
    assert!(!scrubbed.to_string().contains("hunter2"), "{scrubbed}");
}

#[test]
fn other_members_are_shown_as_they_are() {
    let plain = json!({ "JobId": "dlc1", "n": 3, "ok": true, "none": null, "list": ["a", 1.5] });
    assert_eq!(shown(&plain), plain);
}

#[test]
fn secrets_inside_objects_lists_and_numbers_are_masked() {
    let scrubbed = shown(&json!({ "password": { "a": ["hunter2", 31337], "b": "" } }));
    assert_eq!(
        scrubbed,
        json!({ "password": { "a": [masked(b"hunter2"), masked(b"31337")], "b": "" } })
    );
}

#[test]
fn every_value_of_an_environment_is_masked_and_its_names_stay() {
    for environment in [
        json!({ "Envs": { "GREETING": "hunter2" } }),
        json!({ "env": [{ "name": "GREETING", "value": "hunter2" }] }),
        json!({ "env": ["GREETING=hunter2"] }),
    ] {
        let text = shown(&environment).to_string();
        assert!(!text.contains("hunter2"), "{text}");
    }
    let kept = shown(&json!({ "env": [{ "name": "GREETING", "value": "x" }] }));
    assert_eq!(kept["env"][0]["name"], "GREETING");
}

#[test]
fn a_value_beside_the_name_of_a_secret_is_masked() {
    let scrubbed = shown(
        &json!([{ "name": "db-password", "value": "hunter2" }, { "name": "x", "value": "y" }]),
    );
    assert_eq!(scrubbed[0]["value"], masked(b"hunter2").as_str());
    assert_eq!(scrubbed[1]["value"], "y");
}

#[rstest]
#[case::plain(
    "export A=hunter2; python train.py --lr=1e-4",
    "export A=",
    "; python train.py --lr=1e-4"
)]
#[case::quoted("A='hunter2 and more' run", "A=", " run")]
#[case::in_double_quotes(r#"env A="hunter2 \" x" run"#, "env A=", " run")]
#[case::escaped(r"A=hunter2\ more run", "A=", " run")]
#[case::inside_another_shell("sh -c 'A=hunter2 run'", "sh -c 'A=", "")]
#[case::an_echoed_token(
    "server: [\nx-acs-security-token:hunter2\nx",
    "server: [\nx-acs-security-token:",
    "\nx"
)]
fn assignments_in_commands_are_masked(#[case] text: &str, #[case] head: &str, #[case] tail: &str) {
    let scrubbed = shown(&json!({ "command": text }));
    let command = scrubbed["command"].as_str().unwrap();
    assert!(!command.contains("hunter2"), "{command}");
    assert!(command.starts_with(&format!("{head}<masked ")), "{command}");
    assert!(command.ends_with(tail), "{command}");
}

#[test]
fn options_and_empty_assignments_are_no_secrets() {
    for text in [
        "python a.py --lr=1e-4 -x=2",
        "A= B=",
        "a==b is 1=1",
        "训练=1",
    ] {
        let plain = json!({ "command": text });
        let scrubbed = shown(&plain);
        if text.starts_with("a==") {
            // `a=` reads as an assignment of `=b`: better one word too many masked.
            assert_ne!(scrubbed, plain);
        } else {
            assert_eq!(scrubbed, plain);
        }
    }
}

#[test]
fn secret_parameters_of_a_query_are_masked() {
    assert_eq!(target("/x"), "/x");
    assert_eq!(target("/x?PageSize=50&a"), "/x?PageSize=50&a");
    assert_eq!(
        target("/x?a=1&token=hunter2&isShared=true"),
        format!("/x?a=1&token={}&isShared=true", masked(b"hunter2"))
    );
}

#[test]
fn a_body_that_is_no_json_is_only_counted() {
    assert_eq!(body(b""), None);
    let text = body(b"password=hunter2").unwrap();
    assert!(text.starts_with("(16 bytes"), "{text}");
}

#[test]
fn a_long_body_is_cut_after_it_was_scrubbed() {
    let long = json!({ "password": "hunter2", "text": "训".repeat(4000) });
    let text = body(long.to_string().as_bytes()).unwrap();
    assert!(text.len() < BODY_SHOWN + 40, "{}", text.len());
    assert!(text.ends_with(" bytes)"));
    assert!(!text.contains("hunter2"));
    let huge = format!("\"{}\"", "x".repeat(BODY_READ));
    assert!(body(huge.as_bytes()).unwrap().contains("not shown"));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, text in ".*") {
        prop_assert_eq!(body(&bytes).is_none(), bytes.is_empty());
        prop_assert_eq!(target(&text).contains('?'), text.contains('?'));
        let command = json!({ "command": text }).to_string();
        prop_assert!(body(command.as_bytes()).is_some());
    }

    #[test]
    fn a_quoted_assignment_never_shows_its_value(
        // The end of a value cannot be told from the middle, so the value is one that occurs nowhere else.
        before in "[ a-z;]{0,8}",
        noise in "[ a-z;'\"$&|]{0,8}",
    ) {
        let quoted = format!("{noise}HUNTER2{noise}").replace('\'', r"'\''");
        let command = format!("{before} export SOME_NAME='{quoted}'; run");
        let text = body(json!({ "command": command }).to_string().as_bytes()).unwrap();
        prop_assert!(!text.contains("HUNTER2"), "{}", text);
    }
}

//! The vendors' own files: which key is found, where, and what is passed over.

use super::*;

const PROFILES: &str = include_str!("../../../tests/vectors/config/aliyun.json");
const SDK_FILE: &str = include_str!("../../../tests/vectors/config/alibabacloud.ini");

fn key_of(found: &Found) -> (String, String, Option<String>, String) {
    match &found.credential {
        Credential::Key(key) => (
            key.id.clone(),
            key.secret.expose().to_owned(),
            key.token.as_ref().map(|token| token.expose().to_owned()),
            key.source.clone(),
        ),
        other @ (Credential::FromUri { .. } | Credential::EcsMetadata { .. }) => {
            panic!("{other:?} is no key")
        }
    }
}

fn find(home: &Home, variables: &[(&str, &str)]) -> crate::Result<Found> {
    home.load(variables)
        .provider("pai-dlc")
        .unwrap()
        .access_key(now())
}

#[test]
fn sources_are_asked_in_order_and_never_mixed() {
    let home = Home::with_config(
        "[providers.pai-dlc]\naccess-key-id = \"file-id\"\naccess-key-secret = { env = \"S\" }\n",
    );
    home.write(".aliyun/config.json", PROFILES, 0o600);
    let vendor = [
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", "vendor-id"),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "vendor-secret"),
        ("ALIBABA_CLOUD_SECURITY_TOKEN", "vendor-token"),
        ("S", "file-secret"),
    ];
    let (id, secret, token, source) = key_of(&find(&home, &vendor).unwrap());
    assert_eq!((id.as_str(), secret.as_str()), ("file-id", "file-secret"));
    assert_eq!(token, None, "a token of another key must not be added");
    assert_eq!(source, "~/.config/gpujob/config.toml, line 2");

    home.write(".config/gpujob/config.toml", "", 0o600);
    let (id, _, token, _) = key_of(&find(&home, &vendor).unwrap());
    assert_eq!(
        (id.as_str(), token.as_deref()),
        ("vendor-id", Some("vendor-token"))
    );

    let (id, _, token, source) = key_of(&find(&home, &[]).unwrap());
    assert_eq!((id.as_str(), token), ("ak-id", None));
    assert_eq!(source, "~/.aliyun/config.json, profile `plain`");

    home.write(".alibabacloud/credentials", SDK_FILE, 0o600);
    let off = [("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "TRUE")];
    let (id, secret, ..) = key_of(&find(&home, &off).unwrap());
    assert_eq!((id.as_str(), secret.as_str()), ("sdk-id", "sdk-secret"));
}

#[rstest]
#[case::plain("plain", Ok(("ak-id", None)))]
#[case::temporary("sts", Ok(("sts-id", Some("sts-token"))))]
#[case::cached_single_sign_on("sso", Ok(("sso-id", Some("sso-token"))))]
#[case::cached_oauth_with_text_time("oauth", Ok(("oauth-id", Some("oauth-token"))))]
#[case::expired("sso-old", Err("expired"))]
#[case::never_logged_in("sso-new", Err("no cached key"))]
#[case::role("role", Err("mode `RamRoleArn` needs an exchange"))]
#[case::uri_profile("uri", Err("mode `CredentialsURI` needs an exchange"))]
#[case::half("half", Err("lacks `access_key_id` or `access_key_secret`"))]
#[case::sts_without_token("sts-half", Err("lacks `sts_token`"))]
#[case::unknown("nobody", Err("has no profile `nobody`"))]
fn each_mode_of_a_profile_gives_a_key_or_a_reason(
    #[case] profile: &str,
    #[case] expected: Result<(&str, Option<&str>), &str>,
) {
    let home = Home::new();
    home.write(".aliyun/config.json", PROFILES, 0o600);
    match (find(&home, &[("ALIBABA_CLOUD_PROFILE", profile)]), expected) {
        (Ok(found), Ok((id, token))) => {
            let (found_id, _, found_token, _) = key_of(&found);
            assert_eq!((found_id.as_str(), found_token.as_deref()), (id, token));
        }
        (Err(error), Err(reason)) => {
            assert_eq!(error.kind(), Kind::Config);
            let causes = error.details().causes.join("\n");
            assert!(causes.contains(reason), "{causes}");
            assert!(!format!("{error:?}").contains("hidden"), "{error:?}");
        }
        (other, expected) => panic!("{other:?} instead of {expected:?}"),
    }
}

#[test]
fn a_profile_that_is_passed_over_is_noted_when_another_source_has_a_key() {
    let home = Home::new();
    home.write(".aliyun/config.json", PROFILES, 0o600);
    home.write(
        ".alibabacloud/credentials.ini",
        "[role]\ntype = access_key\naccess_key_id = py-id\naccess_key_secret = s\n",
        0o600,
    );
    let found = find(&home, &[("ALIBABA_CLOUD_PROFILE", "role")]).unwrap();
    assert_eq!(key_of(&found).0, "py-id");
    assert_eq!(found.notes.len(), 1, "{:?}", found.notes);
    assert!(found.notes[0].contains("`RamRoleArn`"));
}

#[rstest]
#[case::default_section("default", Some("sdk-id"))]
#[case::named_section("team", Some("team-id"))]
#[case::role("assumed", None)]
#[case::no_such_section("nobody", None)]
fn the_sdk_file_is_read_by_section(#[case] section: &str, #[case] id: Option<&str>) {
    let home = Home::new();
    let path = home.write("elsewhere", SDK_FILE, 0o600);
    let found = find(
        &home,
        &[
            ("ALIBABA_CLOUD_CREDENTIALS_FILE", path.to_str().unwrap()),
            ("ALIBABA_CLOUD_PROFILE", section),
        ],
    );
    assert_eq!(found.ok().map(|found| key_of(&found).0).as_deref(), id);
}

#[test]
fn the_first_of_both_sdk_file_names_wins() {
    let home = Home::new();
    let file =
        |id: &str| format!("[default]\ntype=access_key\naccess_key_id={id}\naccess_key_secret=s\n");
    home.write(".alibabacloud/credentials.ini", &file("python"), 0o600);
    assert_eq!(key_of(&find(&home, &[]).unwrap()).0, "python");
    home.write(".alibabacloud/credentials", &file("go"), 0o600);
    assert_eq!(key_of(&find(&home, &[]).unwrap()).0, "go");
}

#[test]
fn what_needs_a_request_is_described_and_not_fetched() {
    let home = Home::new();
    let uri = [(
        "ALIBABA_CLOUD_CREDENTIALS_URI",
        "http://127.0.0.1:7/c?token=hidden",
    )];
    let found = find(&home, &uri).unwrap();
    let Credential::FromUri { uri: address, .. } = &found.credential else {
        panic!("{found:?}");
    };
    assert!(address.expose().ends_with("hidden"));
    assert!(!format!("{found:?}").contains("hidden"));

    let home = Home::with_config("[providers.pai-dlc]\ncredentials = \"ecs-metadata\"\n");
    let found = find(&home, &[("ALIBABA_CLOUD_ECS_METADATA", "my-role")]).unwrap();
    assert_eq!(
        found.credential,
        Credential::EcsMetadata {
            role: Some("my-role".to_owned()),
            token_required: false
        }
    );
    assert!(find(&home, &[("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")]).is_err());
}

#[test]
fn nothing_at_all_is_85_and_says_where_it_looked() {
    let home = Home::new();
    home.write(".aliyun/config.json", "{\"current\": hidden", 0o600);
    let error = find(&home, &[("ALIBABA_CLOUD_ACCESS_KEY_ID", "lonely")]).unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (Kind::Config, "no_credentials")
    );
    for place in [
        "`access-key-id`",
        "`ALIBABA_CLOUD_ACCESS_KEY_ID`",
        "~/.aliyun/config.json",
        "~/.alibabacloud/credentials`",
        "~/.alibabacloud/credentials.ini`",
        "`ALIBABA_CLOUD_CREDENTIALS_URI`",
    ] {
        assert!(error.message().contains(place), "{place}: {error}");
    }
    let causes = error.details().causes.join("\n");
    assert!(causes.contains("is no JSON (line 1, column"), "{causes}");
    assert!(
        causes.contains("`ALIBABA_CLOUD_ACCESS_KEY_SECRET` is not"),
        "{causes}"
    );
    assert!(!causes.contains("hidden"));
}

#[test]
fn half_a_configured_pair_is_not_completed_from_elsewhere() {
    let home = Home::with_config("[providers.pai-dlc]\naccess-key-id = \"i\"\n");
    let error = find(
        &home,
        &[
            ("ALIBABA_CLOUD_ACCESS_KEY_ID", "v"),
            ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "s"),
        ],
    )
    .unwrap_err();
    assert_eq!(error.kind(), Kind::Config);
    assert!(error.message().contains("`access-key-secret`"), "{error}");
}

#[test]
fn rows_tell_which_native_key_is_in_force() {
    let home = Home::with_config("[providers.pai-dlc]\nworkspace = 310042\n");
    home.write(".aliyun/config.json", PROFILES, 0o600);
    let rows = home
        .load(&[("ALIBABA_CLOUD_PROFILE", "sts")])
        .provider("pai-dlc")
        .unwrap()
        .rows(now());
    let value = |key: &str| {
        rows.iter()
            .find(|row| row.key == format!("providers.pai-dlc.{key}"))
            .map(|row| row.value.as_str())
    };
    assert_eq!(value("workspace"), Some("310042"));
    assert_eq!(value("access-key-id"), Some("sts-id"));
    assert_eq!(value("security-token"), Some("••••"));
}

const CYCLE_FILE: &str = "[cycleserver]\nurl = https://cc.example/\nusername = ops\npassword = stored\nverify_certificates = false\n";

#[test]
fn the_file_of_the_cyclecloud_command_line_serves_its_own_server() {
    let home = Home::new();
    home.write(".cycle/config.ini", CYCLE_FILE, 0o600);
    let settings = home.load(&[]).provider("cyclecloud").unwrap();
    assert_eq!(settings.require("username").unwrap(), "ops");
    assert_eq!(
        settings.require_secret("password").unwrap().expose(),
        "stored"
    );
    assert_eq!(settings.flag("verify-certificates").unwrap(), Some(false));
    assert_eq!(
        settings.origin("password"),
        Some(Origin::Native("~/.cycle/config.ini".to_owned()))
    );
}

#[rstest]
#[case::another_server("GPUJOB_CYCLECLOUD_BASE_URL", "http://127.0.0.1:9")]
#[case::another_account("GPUJOB_CYCLECLOUD_USERNAME", "guest")]
fn a_stored_password_goes_to_no_other_server_or_account(
    #[case] variable: &str,
    #[case] value: &str,
) {
    let home = Home::new();
    home.write(".cycle/config.ini", CYCLE_FILE, 0o600);
    let settings = home
        .load(&[(variable, value)])
        .provider("cyclecloud")
        .unwrap();
    let error = settings.require_secret("password").unwrap_err();
    assert!(error.details().causes[0].contains("another server or account"));
}

#[test]
fn a_password_variable_of_another_account_is_not_used() {
    let home = Home::with_config("[providers.cyclecloud]\nusername = \"ops\"\n");
    let password = ("CYCLECLOUD_PASSWORD", "p");
    let other = home.load(&[password, ("CYCLECLOUD_USERNAME", "guest")]);
    assert!(
        other
            .provider("cyclecloud")
            .unwrap()
            .require_secret("password")
            .is_err()
    );
    let alone = home.load(&[password]);
    assert!(
        alone
            .provider("cyclecloud")
            .unwrap()
            .require_secret("password")
            .is_ok()
    );
}

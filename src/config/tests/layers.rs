//! Precedence, strictness, secrets and rows.

use super::*;

#[test]
fn each_layer_beats_the_next_and_says_so() {
    let text = "[providers.pai-dlc]\nregion = \"from-file\"\n";
    let aliyun = r#"{"current":"p","profiles":[{"name":"p","mode":"AK","region_id":"from-profile","access_key_id":"i","access_key_secret":"s"}]}"#;
    let own = ("GPUJOB_PAI_DLC_REGION", "from-own");
    let vendor = ("ALIBABA_CLOUD_REGION_ID", "from-vendor");
    for (file, variables, region, origin) in [
        (
            text,
            vec![own, vendor],
            "from-own",
            "variable `GPUJOB_PAI_DLC_REGION`",
        ),
        (
            text,
            vec![vendor],
            "from-file",
            "~/.config/gpujob/config.toml, line 2",
        ),
        (
            "",
            vec![vendor],
            "from-vendor",
            "variable `ALIBABA_CLOUD_REGION_ID`",
        ),
        (
            "",
            vec![],
            "from-profile",
            "~/.aliyun/config.json, profile `p`",
        ),
    ] {
        let home = Home::with_config(file);
        home.write(".aliyun/config.json", aliyun, 0o600);
        let mut settings = home.load(&variables).provider("pai-dlc").unwrap();
        assert_eq!(settings.text("region"), Some(region));
        assert_eq!(settings.origin("region").unwrap().to_string(), origin);
        settings
            .set_flag("region", "from-flag", "--region")
            .unwrap();
        assert_eq!(settings.text("region"), Some("from-flag"));
        assert_eq!(
            settings.origin("region").unwrap().to_string(),
            "flag `--region`"
        );
    }
}

#[test]
fn defaults_are_those_of_the_provider_contracts() {
    let config = Home::new().load(&[]);
    for (provider, key, value) in [
        ("paracloud", "base-url", Some("https://eci.paracloud.com")),
        ("gongji", "base-url", Some("https://openapi.suanli.cn")),
        ("cyclecloud", "mode", Some("runner")),
        ("cyclecloud", "base-url", None),
        ("pai-dlc", "base-url", None),
    ] {
        let settings = config.provider(provider).unwrap();
        assert_eq!(settings.text(key), value, "{provider} {key}");
        assert_eq!(settings.flag("verify-certificates").unwrap(), Some(true));
    }
}

#[test]
fn the_file_is_found_by_flag_then_variable_then_xdg() {
    let home = Home::with_config("default-provider = \"gongji\"");
    let named = home.write("named.toml", "default-provider = \"paracloud\"", 0o600);
    let environment = home.environment(&[("GPUJOB_CONFIG", "~/named.toml")]);
    let config = Config::load(None, &environment).unwrap();
    assert_eq!(config.default_provider.as_deref(), Some("paracloud"));
    assert_eq!(config.path(), Some(named.as_path()));
    let flagged = home.write("flag.toml", "default-provider = \"cyclecloud\"", 0o600);
    let config = Config::load(Some(&flagged), &environment).unwrap();
    assert_eq!(config.default_provider.as_deref(), Some("cyclecloud"));
    assert_eq!(home.load(&[]).default_provider.as_deref(), Some("gongji"));
}

#[test]
fn only_the_default_file_may_be_missing() {
    let home = Home::new();
    assert_eq!(home.load(&[]).default_provider, None);
    let error = home.fails(&[("GPUJOB_CONFIG", "/nowhere/c.toml")]);
    assert_eq!(error.code(), "config_missing");
    assert!(error.message().contains("/nowhere/c.toml"), "{error}");
    let error = Config::load(Some("/nowhere/d.toml".as_ref()), &home.environment(&[])).unwrap_err();
    assert_eq!(
        error.details().hint.as_deref(),
        Some("it is named by `--config`")
    );
}

#[rstest]
#[case::top(
    "defualt-provider = \"x\"",
    "unknown_key",
    "line 1, column 1",
    "`default-provider`"
)]
#[case::backend_at_top(
    "[gongji]\ntoken = 1",
    "unknown_key",
    "line 1, column 2",
    "`[providers.gongji]`"
)]
#[case::snake_case(
    "[providers.paracloud]\n  base_url = \"x\"",
    "unknown_key",
    "line 2, column 3",
    "`base-url`"
)]
#[case::of_another_backend(
    "[providers.gongji]\nworkspace = \"x\"",
    "unknown_key",
    "line 2, column 1",
    "keys of gongji"
)]
#[case::no_backend(
    "[providers.mine]\nregion = \"x\"",
    "missing_backend",
    "line 1, column 12",
    "`pai-dlc`"
)]
#[case::bad_backend(
    "[providers.mine]\nbackend = \"pai-dcl\"",
    "unknown_backend",
    "line 2, column 11",
    "`pai-dlc`"
)]
#[case::reserved_name(
    "[providers.any]\nbackend = \"gongji\"",
    "bad_provider_name",
    "line 1, column 12",
    "`any`"
)]
#[case::slash_in_name(
    "[providers.\"a/b\"]\nbackend = \"gongji\"",
    "bad_provider_name",
    "line 1",
    "letters"
)]
#[case::shared_variables(
    "[providers.a-b]\nbackend = \"gongji\"\n[providers.a_b]\nbackend = \"gongji\"",
    "bad_provider_name",
    "line 3",
    "rename"
)]
#[case::wrong_type(
    "[providers.gongji]\nregion = true",
    "wrong_type",
    "line 2, column 10",
    ""
)]
#[case::wrong_flag(
    "[providers.gongji]\nverify-certificates = \"no\"",
    "wrong_type",
    "line 2, column 23",
    ""
)]
#[case::wrong_word(
    "[providers.cyclecloud]\nmode = \"fast\"",
    "unknown_value",
    "line 2, column 8",
    "`runner`"
)]
#[case::two_sources(
    "[providers.gongji]\ntoken = { env = \"A\", file = \"b\" }",
    "bad_secret_source",
    "line 2, column 9",
    "`{ env"
)]
#[case::unknown_source(
    "[providers.gongji]\ntoken = { keyring = \"A\" }",
    "bad_secret_source",
    "line 2, column 9",
    "`{ env"
)]
#[case::source_for_a_plain_key(
    "[providers.gongji]\nregion = { env = \"A\" }",
    "wrong_type",
    "line 2, column 10",
    ""
)]
#[case::syntax("[providers.gongji]\nregion = \"x", "bad_toml", "line 2", "")]
#[case::default_unknown(
    "default-provider = \"paracluod\"",
    "unknown_default_provider",
    "line 1",
    "`paracloud`"
)]
fn what_is_wrong_in_the_file_is_named_with_its_place(
    #[case] text: &str,
    #[case] code: &str,
    #[case] place: &str,
    #[case] hint: &str,
) {
    let error = Home::with_config(text).fails(&[]);
    assert_eq!(error.code(), code, "{error}");
    assert!(error.message().contains(place), "{error}");
    assert!(error.message().contains("config.toml"), "{error}");
    let told = error.details().hint.clone().unwrap_or_default();
    assert!(told.contains(hint), "{told}");
}

#[test]
fn all_faults_are_told_and_what_is_left_is_kept() {
    let home = Home::with_config(
        "bogus = 1\n[providers.paracloud]\nnamespace = \"n\"\ntokn = \"x\"\n[providers.odd]\nregion = \"y\"\n[providers.gongji]\nregion = \"z\"\n",
    );
    let error = home.fails(&[]);
    assert_eq!(error.details().causes.len(), 2, "{error:?}");
    let (config, errors) = Config::load_lenient(None, &home.environment(&[]));
    assert_eq!(errors.len(), 3);
    assert_eq!(
        config.provider("paracloud").unwrap().text("namespace"),
        Some("n")
    );
    assert_eq!(config.provider("gongji").unwrap().text("region"), Some("z"));
    assert_eq!(config.provider("odd").unwrap_err().kind(), Kind::NotFound);
    let home = Home::with_config("[providers.paracloud]\nnamespace = \"n\"\nbroken = = 1\n");
    let (config, errors) = Config::load_lenient(None, &home.environment(&[]));
    assert!(!errors.is_empty());
    assert_eq!(
        config.provider("paracloud").unwrap().text("namespace"),
        Some("n")
    );
}

#[test]
fn an_unknown_provider_is_not_found_with_the_nearest_name_and_the_list() {
    let config = Home::with_config(CONTRACT).load(&[]);
    let error = config.provider("pai-stagign").unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
    assert!(
        error
            .details()
            .hint
            .as_ref()
            .unwrap()
            .contains("`pai-staging`")
    );
    assert_eq!(error.details().candidates.len(), 5);
}

#[test]
fn backends_join_when_their_environment_is_complete_and_not_before() {
    let home = Home::new();
    let names = |variables: &[(&str, &str)]| -> Vec<String> {
        home.load(variables)
            .configured()
            .into_iter()
            .map(|settings| settings.name)
            .collect()
    };
    assert!(names(&[]).is_empty());
    assert_eq!(names(&[("PARA_TOKEN", "t")]), ["paracloud"]);
    assert!(names(&[("PARA_TOKEN", "")]).is_empty());
    assert_eq!(names(&[("GPUJOB_GONGJI_TOKEN", "t")]), ["gongji"]);
    let cycle = [
        ("CYCLECLOUD_USERNAME", "u"),
        ("CYCLECLOUD_PASSWORD", "p"),
        ("GPUJOB_CYCLECLOUD_BASE_URL", "https://cc.example"),
    ];
    assert_eq!(names(&cycle), ["cyclecloud"]);
    assert!(names(&cycle[..2]).is_empty());
    let alibaba = [
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", "i"),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "s"),
        ("GPUJOB_PAI_DLC_REGION", "cn-hangzhou"),
    ];
    assert_eq!(names(&alibaba), ["pai-dlc"]);
    assert!(names(&alibaba[..2]).is_empty());
}

#[test]
fn vendor_variables_do_not_bring_an_account_of_the_file_a_second_time() {
    let home = Home::with_config(
        "[providers.team]\nbackend = \"paracloud\"\ntoken = { env = \"PARA_TOKEN\" }\n",
    );
    let names = |variables: &[(&str, &str)]| -> Vec<String> {
        home.load(variables)
            .configured()
            .into_iter()
            .map(|settings| settings.name)
            .collect()
    };
    assert_eq!(names(&[("PARA_TOKEN", "t")]), ["team"]);
    assert_eq!(
        names(&[("GPUJOB_PARACLOUD_TOKEN", "t")]),
        ["team", "paracloud"]
    );
}

#[test]
fn a_setting_nobody_gave_is_85_and_names_key_table_and_variable() {
    let config = Home::new().load(&[]);
    let error = config
        .provider("pai-dlc")
        .unwrap()
        .require("workspace")
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Config);
    assert_eq!(error.details().provider.as_deref(), Some("pai-dlc"));
    let hint = error.details().hint.clone().unwrap();
    for part in [
        "`workspace`",
        "[providers.pai-dlc]",
        "GPUJOB_PAI_DLC_WORKSPACE",
    ] {
        assert!(hint.contains(part), "{hint}");
    }
    let error = config
        .provider("gongji")
        .unwrap()
        .require_secret("token")
        .unwrap_err();
    assert!(
        error
            .details()
            .hint
            .as_ref()
            .unwrap()
            .contains("SUANLI_TOKEN")
    );
}

#[test]
fn secrets_come_from_variables_files_and_commands_without_the_last_newline() {
    let home = Home::with_config(
        "[providers.a]\nbackend = \"gongji\"\ntoken = { env = \"MINE\" }\n\
         [providers.b]\nbackend = \"gongji\"\ntoken = { file = \"secrets/b\" }\n\
         [providers.c]\nbackend = \"gongji\"\ntoken = { command = [\"sh\", \"-c\", \"echo $MINE\"] }\n\
         [providers.d]\nbackend = \"cyclecloud\"\nusername = { command = [\"echo\", \"ops\"] }\n",
    );
    home.write(".config/gpujob/secrets/b", " tok en \r\n", 0o600);
    let config = home.load(&[("MINE", "token-a\n")]);
    for (provider, token) in [("a", "token-a"), ("b", " tok en "), ("c", "token-a")] {
        let settings = config.provider(provider).unwrap();
        assert_eq!(settings.require_secret("token").unwrap().expose(), token);
        assert_eq!(settings.text("token"), None);
        assert!(settings.warnings().is_empty());
    }
    let settings = config.provider("d").unwrap();
    assert_eq!(settings.require("username").unwrap(), "ops");
    assert_eq!(settings.text("username"), Some("ops"));
}

#[rstest]
#[case::variable("{ env = \"MISSING_ONE\" }", "`MISSING_ONE`")]
#[case::file("{ file = \"/nowhere/f\" }", "/nowhere/f")]
#[case::failing_command("{ command = [\"sh\", \"-c\", \"echo canary-7f3a; exit 3\"] }", "`sh`")]
#[case::unknown_command("{ command = [\"no-such-program-here\"] }", "`no-such-program-here`")]
#[case::silent_command("{ command = [\"true\"] }", "is empty")]
fn a_source_that_fails_names_key_and_source_and_fails_its_provider_alone(
    #[case] source: &str,
    #[case] named: &str,
) {
    let home = Home::with_config(&format!(
        "[providers.paracloud]\ntoken = {source}\n[providers.gongji]\ntoken = {{ env = \"GOOD\" }}\n"
    ));
    let config = home.load(&[("GOOD", "g")]);
    let error = config
        .provider("paracloud")
        .unwrap()
        .secret("token")
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Config);
    for part in ["`token`", "paracloud", "line 2", named] {
        assert!(error.message().contains(part), "{error}");
    }
    assert!(!format!("{error:?}").contains("canary"));
    assert!(config.provider("gongji").unwrap().secret("token").is_ok());
}

#[test]
fn a_literal_secret_needs_a_private_file_and_is_warned_of() {
    let text = "[providers.paracloud]\ntoken = \"canary-7f3a\"\n";
    for mode in [0o600, 0o400] {
        let home = Home::new();
        home.write(".config/gpujob/config.toml", text, mode);
        let settings = home.load(&[]).provider("paracloud").unwrap();
        assert_eq!(
            settings.require_secret("token").unwrap().expose(),
            "canary-7f3a"
        );
        assert!(settings.warnings()[0].contains("line 2"));
    }
    for mode in [0o644, 0o640, 0o604] {
        let home = Home::new();
        home.write(".config/gpujob/config.toml", text, mode);
        let config = home.load(&[]);
        let error = config
            .provider("paracloud")
            .unwrap()
            .secret("token")
            .unwrap_err();
        assert_eq!(error.kind(), Kind::Config);
        assert!(error.details().hint.as_ref().unwrap().contains("0600"));
        assert_eq!(config.warnings().len(), 1);
        // A variable above it makes the provider usable all the same.
        let settings = home
            .load(&[("GPUJOB_PARACLOUD_TOKEN", "v")])
            .provider("paracloud")
            .unwrap();
        assert_eq!(settings.require_secret("token").unwrap().expose(), "v");
    }
}

#[test]
fn an_open_secret_file_and_unverified_certificates_are_warned_of() {
    let home = Home::with_config(
        "[providers.paracloud]\ntoken = { file = \"~/t\" }\nverify-certificates = false\n",
    );
    home.write("t", "x", 0o644);
    let settings = home.load(&[]).provider("paracloud").unwrap();
    assert_eq!(settings.require_secret("token").unwrap().expose(), "x");
    let warnings = settings.warnings().join("\n");
    assert!(warnings.contains("can be read by others"), "{warnings}");
    assert!(warnings.contains("not verified"), "{warnings}");
}

#[test]
fn a_variable_with_the_wrong_kind_of_value_fails_its_provider_alone() {
    let home = Home::new();
    let config = home.load(&[
        ("GPUJOB_GONGJI_VERIFY_CERTIFICATES", "perhaps"),
        ("SUANLI_TOKEN", "t"),
        ("PARA_TOKEN", "t"),
    ]);
    let error = config.provider("gongji").unwrap_err();
    assert_eq!(error.kind(), Kind::Config);
    assert!(
        error
            .message()
            .contains("GPUJOB_GONGJI_VERIFY_CERTIFICATES")
    );
    assert!(config.provider("paracloud").is_ok());
    let both = config.configured();
    assert_eq!(both.len(), 2);
    assert!(both[1].require_secret("token").is_err());
}

#[test]
fn a_misspelt_variable_of_a_provider_is_warned_of() {
    let config = Home::new().load(&[
        ("GPUJOB_PARACLOUD_NAMESPCE", "x"),
        ("GPUJOB_SANDBOX_URL", "http://127.0.0.1:1"),
        ("GPUJOB_PAI_DLC_BASE_URL", "http://127.0.0.1:1"),
    ]);
    let warnings = config.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("`GPUJOB_PARACLOUD_NAMESPACE`"));
}

#[test]
fn a_secret_as_flag_value_is_refused() {
    let mut settings = Home::new().load(&[]).provider("paracloud").unwrap();
    let error = settings
        .set_flag("token", "canary-7f3a", "--token")
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
    assert!(!format!("{error:?}").contains("canary"));
    assert!(settings.set_flag("namespace", "n", "--namespace").is_ok());
}

#[test]
fn rows_hide_secrets_and_name_origins() {
    let home = Home::with_config(
        "default-provider = \"paracloud\"\n[providers.paracloud]\nnamespace = \"n\"\ntoken = { command = [\"pass\", \"canary-7f3a\"] }\n\
         base-url = \"https://u:canary-7f3a@h.example/\"\n",
    );
    let rows = home.load(&[("SUANLI_TOKEN", "canary-7f3a")]).rows(now());
    let texts: Vec<String> = rows
        .iter()
        .map(|row| {
            let source = row.source.as_deref().unwrap_or("-");
            format!("{} = {} ({}; {source})", row.key, row.value, row.origin)
        })
        .collect();
    let file = "~/.config/gpujob/config.toml, line";
    for line in [
        format!("default-provider = paracloud ({file} 1; -)"),
        "providers.paracloud.backend = paracloud (default; -)".to_owned(),
        format!("providers.paracloud.token = •••• ({file} 4; command `pass`)"),
        format!("providers.paracloud.namespace = n ({file} 3; -)"),
        format!("providers.paracloud.base-url = https://••••@h.example/ ({file} 5; -)"),
        "providers.gongji.token = •••• (variable `SUANLI_TOKEN`; -)".to_owned(),
        "providers.gongji.verify-certificates = true (default; -)".to_owned(),
    ] {
        assert!(texts.contains(&line), "{line}\nis not in {texts:#?}");
    }
    assert!(!texts.join("\n").contains("canary"));
}

#[rstest]
#[case("[providers.paracloud]\ntoken = \"canary-7f3a")]
#[case("[providers.paracloud]\ntoken = canary-7f3a")]
#[case("[providers.paracloud]\ntoken = \"canary-7f3a\" \"canary-7f3a\"")]
#[case("[providers.paracloud]\ntoken = [\"canary-7f3a\"]")]
#[case("[providers.paracloud]\ntoken = { evn = \"canary-7f3a\" }")]
#[case("[providers.paracloud]\ntoken = \"a\"\ntoken = \"canary-7f3a\"")]
#[case("[providers.paracloud]\npassword = \"canary-7f3a\"")]
#[case("[providers.pai-dlc]\ncredentials = \"canary-7f3a\"")]
#[case("token = \"canary-7f3a\"")]
fn no_secret_gets_into_an_error(#[case] text: &str) {
    let error = Home::with_config(text).fails(&[]);
    assert!(
        !format!("{error:?} {error}").contains("canary"),
        "{error:?}"
    );
}

#[test]
fn no_secret_gets_into_debug_texts() {
    let home = Home::with_config("[providers.paracloud]\ntoken = \"canary-7f3a\"\n");
    home.write(
        ".cycle/config.ini",
        "[cycleserver]\nurl = https://c\nusername = u\npassword = canary-7f3a\n",
        0o600,
    );
    let config = home.load(&[
        ("SUANLI_TOKEN", "canary-7f3a"),
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", "id"),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "canary-7f3a"),
        ("ALIBABA_CLOUD_REGION_ID", "r"),
    ]);
    let key = config.provider("pai-dlc").unwrap().access_key(now());
    let text = format!("{config:?} {:?} {key:?}", config.configured());
    assert!(text.contains("paracloud") && !text.contains("canary"));
    assert!(format!("{:?}", config.provider("cyclecloud").unwrap()).contains("password"));
}

proptest::proptest! {
    #[test]
    fn any_text_as_configuration_is_read_without_panic(text in "[\\[\\]{}=\"'a-z.\\n #0-9-]{0,120}") {
        let (document, errors) = document::parse(&text, "c.toml", &Environment::default());
        proptest::prop_assert!(document.providers.len() < 100 && errors.len() < 1000);
    }
}

//! `types` over four providers: filters, order, and what is said of offers that cannot be judged.

use rstest::rstest;
use serde_json::Value;

use crate::support::closed::ClosedPort;
use crate::support::environment::TestEnvironment;

fn rows(environment: &TestEnvironment, flags: &[&str]) -> (Vec<Value>, String) {
    let arguments = [&["types", "-o", "json"], flags].concat();
    let run = environment.run(&arguments).expect(0);
    (run.json()["items"].as_array().unwrap().clone(), run.stderr)
}

#[test]
fn each_flag_keeps_what_fits_and_says_what_it_cannot_judge() {
    let environment = TestEnvironment::with_sandbox();
    let (all, _) = rows(&environment, &[]);
    let large = rows(&environment, &["--min-cpu", "96", "--min-memory=256GiB"]).0;
    assert!(!large.is_empty() && large.len() < all.len());
    for row in &large {
        assert!(row["cpu_cores"].as_f64().unwrap() >= 96.0, "{row}");
        assert!(row["memory_bytes"].as_u64().unwrap() >= 256 << 30, "{row}");
    }
    let (cheap, said) = rows(&environment, &["--max-price", "2 CNY"]);
    let amount = |row: &Value| {
        row["price_per_hour"]["amount"]
            .as_str()
            .unwrap()
            .parse::<f64>()
    };
    assert!(!cheap.is_empty());
    assert!(
        cheap
            .iter()
            .all(|row| row["provider"] == "gongji" && amount(row).unwrap() <= 2.0)
    );
    for provider in ["paracloud", "cyclecloud", "pai-dlc"] {
        assert!(said.contains(&format!("`{provider}`: ")), "{said}");
    }
    assert!(said.contains("do not tell their price"), "{said}");
    let (dollars, said) = rows(&environment, &["-p", "gongji", "--max-price", "2 USD"]);
    assert!(dollars.is_empty());
    assert!(said.contains("CNY is not compared with USD"), "{said}");
    let arm = rows(&environment, &["--arch", "arm64"]).0;
    assert!(!arm.is_empty() && arm.iter().all(|row| row["arch"] == "arm64"));
    let near = rows(&environment, &["-p", "gongji", "--region", "HEBEIF-1"]).0;
    assert!(!near.is_empty() && near.iter().all(|row| row["region"] == "hebeif-1"));
    let (free, said) = rows(&environment, &["--available"]);
    assert!(!free.is_empty() && free.iter().all(|row| row["available"] == true));
    assert!(
        said.contains("`paracloud`") && said.contains("whether they are free"),
        "{said}"
    );
    let spot = rows(&environment, &["--spot"]).0;
    assert!(!spot.is_empty() && spot.iter().all(|row| row["spot"].is_object()));
}

#[test]
fn sorted_by_price_the_cheapest_is_first_and_the_unknown_last() {
    let environment = TestEnvironment::with_sandbox();
    let (sorted, _) = rows(&environment, &["--sort", "price"]);
    let prices: Vec<Option<f64>> = sorted
        .iter()
        .map(|row| {
            row["price_per_hour"]["amount"]
                .as_str()
                .map(|text| text.parse().unwrap())
        })
        .collect();
    let known = prices.iter().take_while(|price| price.is_some()).count();
    assert!(
        known > 3 && prices[known..].iter().all(Option::is_none),
        "{prices:?}"
    );
    assert!(prices[..known].is_sorted(), "{prices:?}");
    let ndjson = environment
        .run(&["types", "--sort=price", "-o", "ndjson", "--jq", ".id"])
        .expect(0);
    let ids: Vec<&str> = sorted
        .iter()
        .map(|row| row["id"].as_str().unwrap())
        .collect();
    assert_eq!(ndjson.stdout.lines().collect::<Vec<_>>(), ids);
}

#[test]
fn a_card_of_eight_costs_an_eighth() {
    let environment = TestEnvironment::with_sandbox();
    let run = environment
        .run(&["types", "-p", "gongji", "--gpu", "A100:8", "-o", "json"])
        .expect(0);
    let row = &run.json()["items"][0];
    assert_eq!(row["price_per_hour"]["amount"], "46.3968");
    assert_eq!(row["price_per_gpu_hour"]["amount"], "5.7996");
    assert_eq!(row["price_per_gpu_hour"]["currency"], "CNY");
}

#[rstest]
#[case::price(&["--max-price", "20"], "--max-price")]
#[case::cores(&["--min-cpu", "many"], "--min-cpu")]
#[case::no_cores(&["--min-cpu", "0"], "--min-cpu")]
#[case::memory(&["--min-memory", "64"], "--min-memory")]
#[case::gpu(&["--gpu", "A100:none"], "--gpu")]
#[case::arch(&["--arch", "x86"], "--arch")]
#[case::key(&["--sort", "name"], "--sort")]
#[case::age(&["--max-age", "10"], "--max-age")]
fn a_wrong_flag_is_named(#[case] flags: &[&str], #[case] flag: &str) {
    let environment = TestEnvironment::with_sandbox();
    let run = environment.run(&[&["types"], flags].concat()).expect(80);
    assert!(run.stderr.contains(flag), "{}", run.stderr);
}

#[test]
fn the_users_price_file_fills_what_providers_do_not_tell() {
    let environment = TestEnvironment::with_sandbox();
    let file = environment.sandbox_config().with_file_name("prices.toml");
    let price = "[[price]]\nprovider = \"paracloud\"\ntype = \"n40.*\"\namount = 4.25\ncurrency = \"CNY\"\nunit = \"gpu-hour\"\n";
    std::fs::write(&file, price).unwrap();
    let v100 = |flags: &[&str]| {
        rows(
            &environment,
            &[&["--gpu=V100:1", "--sort=price"], flags].concat(),
        )
        .0
    };
    let own = v100(&["-p", "paracloud"]);
    assert_eq!(own[0]["price_per_hour"]["amount"], "4.25");
    assert_eq!(own[0]["price_source"], "prices.toml");
    assert!(
        v100(&["-p", "gongji"])
            .iter()
            .all(|row| row["price_source"] == "provider")
    );
    environment.file("job.yaml", super::JOB);
    let plan = environment
        .run(&["explain", "job.yaml", "-p", "paracloud", "-o", "json"])
        .expect(0);
    assert_eq!(plan.json()["items"][0]["price_per_hour"]["amount"], "4.25");

    std::fs::write(&file, price.replace("gpu-hour", "week")).unwrap();
    for arguments in [["types", "-q"].as_slice(), &["explain", "job.yaml"]] {
        let run = environment.run(arguments).expect(85);
        assert!(run.stderr.contains("prices.toml, line 6"), "{}", run.stderr);
    }
}

#[test]
fn the_last_answer_is_used_only_where_it_is_asked_for_and_young_enough() {
    let mut environment = TestEnvironment::with_sandbox();
    let backends = ["paracloud", "cyclecloud", "gongji", "pai-dlc"];
    let requests = |environment: &TestEnvironment| {
        backends.map(|backend| (backend, environment.requests(backend)))
    };
    let (first, said) = rows(&environment, &["--max-age", "1h"]);
    assert!(!said.contains("from the cache"), "{said}");
    let asked = requests(&environment);

    let (second, said) = rows(&environment, &["--max-age", "1h"]);
    assert_eq!(second, first);
    assert_eq!(requests(&environment), asked);
    for backend in backends {
        let note = format!("{backend}: from the cache, ");
        assert!(said.contains(&note), "{said}");
    }
    // Filters come after it.
    let (arm, _) = rows(&environment, &["--max-age=1h", "--arch=arm64"]);
    assert!(!arm.is_empty() && arm.len() < first.len());
    assert_eq!(requests(&environment), asked);

    let mut before = asked;
    for flags in [
        ["--max-age=1h", "--refresh"].as_slice(),
        &["--max-age=0s"],
        &[],
    ] {
        let (_, said) = rows(&environment, flags);
        assert!(!said.contains("from the cache"), "{said}");
        let after = requests(&environment);
        for (now, then) in after.iter().zip(&before) {
            assert_ne!(now, then, "{flags:?}");
        }
        before = after;
    }

    // Nothing that plans a create looks there.
    environment.file("job.yaml", super::JOB);
    let explained = environment
        .run(&["explain", "job.yaml", "-p", "gongji"])
        .expect(0);
    assert!(!explained.stderr.contains("from the cache"));
    assert_ne!(requests(&environment), before);

    let kept = environment.home().join(".cache/gpujob/types/gongji.json");
    let text = std::fs::read_to_string(&kept).unwrap();
    environment.assert_no_secret(&text, "the cache");
    std::fs::write(&kept, text.replacen(':', "", 1)).unwrap();
    let run = environment
        .run(&["types", "-p", "gongji", "--max-age=1h", "-v"])
        .expect(0);
    assert!(
        run.stderr.contains("gongji.json is not used"),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains("from the cache"), "{}", run.stderr);

    // Another endpoint under the same name: its types are not these.
    let closed = ClosedPort::take();
    environment.set(
        "GPUJOB_GONGJI_BASE_URL",
        &format!("http://{}", closed.address()),
    );
    let run = environment.run(&["types", "-p", "gongji", "--max-age=1h", "--retries=0"]);
    assert_ne!(run.code, 0, "{}", run.stdout);
    assert!(!run.stderr.contains("from the cache"), "{}", run.stderr);
}

#[test]
fn a_cache_that_cannot_be_written_costs_nothing() {
    let environment = TestEnvironment::with_sandbox();
    environment.file(".cache", "no folder");
    let (all, said) = rows(&environment, &["-p", "gongji", "--max-age=1h"]);
    assert!(!all.is_empty() && !said.contains("cache"), "{said}");
    let run = environment.run(&["types", "-p", "gongji", "-v"]).expect(0);
    assert!(run.stderr.contains("are not kept"), "{}", run.stderr);
}

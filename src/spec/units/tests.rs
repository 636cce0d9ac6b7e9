use proptest::prelude::*;
use rstest::rstest;

use super::*;

#[rstest]
#[case("90s", 90)]
#[case("45m", 2_700)]
#[case("2h", 7_200)]
#[case("1d12h", 129_600)]
#[case("1h30m5s", 5_405)]
#[case("0s", 0)]
#[case("1:30:00", 5_400)]
#[case("100:00:01", 360_001)]
#[case("2-12:00:00", 216_000)]
#[case(" 5m ", 300)]
fn durations_are_read(#[case] text: &str, #[case] seconds: u64) {
    assert_eq!(parse_duration(text), Ok(seconds));
}

#[rstest]
#[case("90", "bad_unit")]
#[case("1h30", "bad_unit")]
#[case("5min", "bad_unit")]
#[case("90:00", "bad_unit")]
#[case("", "bad_value")]
#[case("h", "bad_value")]
#[case("-5m", "bad_value")]
#[case("1.5h", "bad_value")]
#[case("5m2h", "bad_value")]
#[case("1h1h", "bad_value")]
#[case("1:60:00", "bad_value")]
#[case("1-24:00:00", "bad_value")]
#[case("1:2:3", "bad_value")]
#[case("+1:00:00", "bad_value")]
#[case("18446744073709551615d", "bad_value")]
#[case("18446744073709551615-00:00:00", "bad_value")]
fn what_is_no_duration_is_refused(#[case] text: &str, #[case] code: &str) {
    let error = parse_duration(text).unwrap_err();
    assert_eq!(error.code, code, "{error}");
}

#[test]
fn a_bare_number_gets_a_hint_that_names_units() {
    let error = parse_duration("90").unwrap_err();
    assert!(error.hint.contains("`90s`") && error.hint.contains("`90m`"));
    assert!(parse_size("64").unwrap_err().hint.contains("`64GiB`"));
    assert!(parse_gpu_memory("80").unwrap_err().hint.contains("`80GiB`"));
}

#[rstest]
#[case("16GiB", 16 << 30)]
#[case("24Gi", 24 << 30)]
#[case("64GB", 64_000_000_000)]
#[case("512mib", 512 << 20)]
#[case("1.5GiB", 3 << 29)]
#[case("2 TiB", 2 << 40)]
#[case("7B", 7)]
fn binary_and_decimal_sizes_are_told_apart(#[case] text: &str, #[case] bytes: u64) {
    assert_eq!(parse_size(text), Ok(bytes));
}

#[rstest]
#[case("64", "bad_unit")]
#[case("64G", "bad_unit")]
#[case("64Gb/s", "bad_unit")]
#[case("GiB", "bad_value")]
#[case("-1GiB", "bad_value")]
#[case("1.GiB", "bad_value")]
#[case("1.2.3GiB", "bad_value")]
#[case("0.1KiB", "bad_value")]
#[case("99999999999PiB", "bad_value")]
fn what_is_no_size_is_refused(#[case] text: &str, #[case] code: &str) {
    let error = parse_size(text).unwrap_err();
    assert_eq!(error.code, code, "{error}");
}

#[test]
fn every_way_of_writing_a_card_means_the_same_card() {
    for text in ["80G", "80GB", "80Gi", "80GiB", "80 gb"] {
        assert_eq!(parse_gpu_memory(text), Ok(80), "{text}");
    }
    for text in ["80", "80MiB", "0G", "1.5G", "G", "80T"] {
        assert!(parse_gpu_memory(text).is_err(), "{text}");
    }
}

#[test]
fn numbers_are_written_as_people_write_them() {
    assert_eq!(format_duration(5_400), "1h30m");
    assert_eq!(format_duration(0), "0s");
    assert_eq!(format_duration(86_400), "1d");
    assert_eq!(format_size(64 << 30), "64GiB");
    assert_eq!(format_size(64_000_000_000), "64GB");
    assert_eq!(format_size(1_025), "1025B");
    assert_eq!(format_size(0), "0B");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back(number in any::<u64>()) {
        prop_assert_eq!(parse_duration(&format_duration(number)), Ok(number));
        prop_assert_eq!(parse_size(&format_size(number)), Ok(number));
    }

    #[test]
    fn no_text_makes_them_panic(text in any::<String>(), near in "[0-9.:dhmsGiBKT-]{0,12}") {
        for text in [text, near] {
            drop((parse_duration(&text), parse_size(&text), parse_gpu_memory(&text)));
        }
    }
}

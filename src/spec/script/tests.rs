use rstest::rstest;

use crate::spec::{
    Array, Document, JobSpec, Overrides, Program, SpotFlag, Timeout, assemble_noting,
};

fn document(source: &str, text: &str) -> Document {
    Document {
        source: source.to_owned(),
        text: text.to_owned(),
        format: None,
    }
}

fn read(text: &str) -> (JobSpec, Vec<String>) {
    with_flags(text, &Overrides::default())
}

fn with_flags(text: &str, flags: &Overrides) -> (JobSpec, Vec<String>) {
    let document = document("train.sh", text);
    assemble_noting(Some(&document), flags, &|name| {
        (name == "LR").then(|| "3e-5".to_owned())
    })
    .unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn fault(text: &str) -> String {
    let document = document("train.sh", text);
    let error = assemble_noting(Some(&document), &Overrides::default(), &|_| None).unwrap_err();
    assert_eq!(error.kind().exit_code(), 81, "{error}");
    error.to_string()
}

const OWN: &str = "\
#!/bin/bash
#GPUJOB --image registry.example/bert:1 --gpu A100:2   # two cards
#GPUJOB --time=90m --env LR --env 'NOTE=two words' -p paracloud,gongji
#GPUJOB --mount x7m4tzb9:/data:ro --label team=nlp --spot --set resources.disk=100GiB

python train.py \"$@\"
";

#[test]
fn own_lines_hold_the_flags_of_submit() {
    let (spec, notes) = read(OWN);
    assert_eq!(notes, Vec::<String>::new());
    assert_eq!(spec.provider, ["paracloud", "gongji"]);
    assert_eq!(spec.image.as_deref(), Some("registry.example/bert:1"));
    let gpu = spec.resources.gpu.unwrap();
    assert_eq!((gpu.model.as_deref(), gpu.count), (Some("A100"), 2));
    assert_eq!(spec.resources.disk, Some(100 << 30));
    assert_eq!(spec.timeout, Timeout::After(5_400));
    assert_eq!(spec.env["LR"], "3e-5");
    assert_eq!(spec.env["NOTE"], "two words");
    assert!(spec.mounts[0].readonly && spec.spot.is_some());
    assert_eq!(spec.labels["team"], "nlp");
    let script = Program::Script {
        text: OWN.to_owned(),
        arguments: Vec::new(),
    };
    assert_eq!(spec.program, script);
}

#[test]
fn flags_win_and_words_are_positional_parameters() {
    let flags = Overrides {
        gpu: Some("H20:1".to_owned()),
        time: Some("1h".to_owned()),
        words: vec!["--epochs".to_owned(), "3".to_owned()],
        spot: Some(SpotFlag::AtMost("0.5".to_owned())),
        ..Overrides::default()
    };
    let (spec, _) = with_flags(OWN, &flags);
    assert_eq!(spec.resources.gpu.unwrap().model.as_deref(), Some("H20"));
    assert_eq!(spec.timeout, Timeout::After(3_600));
    assert_eq!(spec.spot.unwrap().max_discount, Some(0.5));
    let Program::Script { arguments, .. } = spec.program else {
        panic!()
    };
    assert_eq!(arguments, ["--epochs", "3"]);
}

#[test]
fn the_common_lines_of_slurm_are_understood() {
    let text = "\
#!/bin/bash
#SBATCH -J bert -N2 --gres=gpu:a100:4
#SBATCH --time=1-02:30:00
#SBATCH --mem=64G
#SBATCH -c 8
#SBATCH --array=0-9%3
srun python train.py
";
    let (spec, notes) = read(text);
    assert_eq!(notes, Vec::<String>::new());
    assert_eq!(spec.name.as_deref(), Some("bert"));
    assert_eq!(spec.nodes, Some(2));
    let gpu = spec.resources.gpu.unwrap();
    assert_eq!((gpu.model.as_deref(), gpu.count), (Some("a100"), 4));
    assert_eq!(spec.timeout, Timeout::After(95_400));
    assert_eq!(spec.resources.memory, Some(64 << 30));
    assert_eq!(spec.resources.cpu, Some(8.0));
    let Array {
        first,
        last,
        parallel,
        ..
    } = spec.array.unwrap();
    assert_eq!((first, last, parallel), (0, 9, 3));
}

#[rstest]
#[case("30", Timeout::After(1_800))]
#[case("30:30", Timeout::After(1_830))]
#[case("2:00:00", Timeout::After(7_200))]
#[case("1-12", Timeout::After(129_600))]
#[case("1-12:30", Timeout::After(131_400))]
#[case("UNLIMITED", Timeout::Unlimited)]
#[case("0", Timeout::Unlimited)]
fn slurms_times_are_read(#[case] time: &str, #[case] expected: Timeout) {
    assert_eq!(
        read(&format!("#SBATCH -t {time}\ntrue\n")).0.timeout,
        expected
    );
}

#[rstest]
#[case("4096", 4096 << 20)]
#[case("2G", 2 << 30)]
#[case("2GB", 2 << 30)]
#[case("1T", 1 << 40)]
#[case("2048K", 2 << 20)]
fn slurms_memory_is_binary_and_megabytes_without_a_unit(#[case] text: &str, #[case] bytes: u64) {
    let (spec, _) = read(&format!("#SBATCH --mem {text}\ntrue\n"));
    assert_eq!(spec.resources.memory, Some(bytes));
}

#[test]
fn a_number_of_cards_needs_no_model_and_one_index_is_one() {
    let (spec, _) = read("#SBATCH --gres gpu:2\n#SBATCH --array=7\ntrue\n");
    let gpu = spec.resources.gpu.unwrap();
    assert_eq!((gpu.model, gpu.count), (None, 2));
    let array = spec.array.unwrap();
    assert_eq!((array.first, array.last), (7, 7));
}

#[test]
fn what_is_ignored_is_named() {
    let text = "\
#!/bin/bash
#SBATCH --partition gpu --exclusive -A acct -n 4
##SBATCH --mem=1G
#SBATCH -o slurm-%j.out --mem=0 --gres=shard:2
echo $SLURM_JOB_ID
#SBATCH -J late
";
    let (spec, notes) = read(text);
    assert_eq!((spec.name, spec.resources.memory), (None, None));
    for named in [
        "line 2: `#SBATCH --partition gpu` is ignored",
        "line 2: `#SBATCH --exclusive` is ignored",
        "line 2: `#SBATCH -A acct` is ignored",
        "line 2: `#SBATCH -n 4` is ignored",
        "line 4: `-o slurm-%j.out` is ignored: a relative path",
        "line 4: `--mem=0` is ignored",
        "line 4: `--gres=shard:2` is ignored",
        "line 6: `#SBATCH` is ignored: it stands after the first command",
        "`SLURM_…`",
    ] {
        assert!(
            notes.iter().any(|note| note.contains(named)),
            "{named}: {notes:#?}"
        );
    }
    assert_eq!(notes.len(), 9, "{notes:#?}");
}

#[test]
fn output_files_become_redirections_on_their_own_lines() {
    let text = "#!/bin/sh\n#SBATCH -J \"my $job\"\n#SBATCH -e /data/%x-%a.err\n#SBATCH -o /data/100%%.out\nls\n";
    let (spec, notes) = read(text);
    let Program::Script { text, .. } = spec.program else {
        panic!()
    };
    assert_eq!(
        text,
        "#!/bin/sh\n#SBATCH -J \"my $job\"\nexec 2>\"/data/my \\$job-${GPUJOB_ARRAY_INDEX}.err\"\nexec >\"/data/100%.out\"\nls\n"
    );
    assert_eq!(notes.len(), 2);
    let (spec, _) = read("#SBATCH -o /o\ntrue");
    assert!(
        matches!(spec.program, Program::Script { text, .. } if text == "exec >\"/o\" 2>&1\ntrue")
    );
    let python = "#!/usr/bin/env python3\n#SBATCH -o /data/o\nprint(1)\n";
    let (spec, notes) = read(python);
    assert!(matches!(spec.program, Program::Script { text, .. } if text == python));
    assert!(notes[0].contains("no shell script"), "{notes:?}");
}

#[test]
fn own_lines_win_over_slurms() {
    let (spec, _) = read("#GPUJOB --name own\n#SBATCH -J slurm -c 2\ntrue\n");
    assert_eq!(
        (spec.name.as_deref(), spec.resources.cpu),
        (Some("own"), Some(2.0))
    );
}

#[rstest]
#[case("#GPUJOB --gpus A100\n", "train.sh:1:1: `--gpus` is no flag")]
#[case("#!/bin/sh\n\n#GPUJOB --wait\n", "train.sh:3:1: `--wait` is no flag")]
#[case("#GPUJOB --gpu\n", "train.sh:1:1: `--gpu` needs a value")]
#[case("#!/bin/sh\n#GPUJOB --memory 64\n", "train.sh:2:1: ")]
#[case(
    "#GPUJOB --name 'open\n",
    "train.sh:1:1: `#GPUJOB` line: the quote ' is not closed"
)]
#[case("#GPUJOB --env UNSET_HERE\n", "train.sh:1:1: ")]
#[case(
    "#SBATCH --time=soon\n",
    "train.sh:1:1: `--time`: `soon` is no time limit"
)]
#[case(
    "#SBATCH -N 2-4\n",
    "train.sh:1:1: `--nodes`: `2-4` is no number of nodes"
)]
#[case("#SBATCH --array=1,3\n", "train.sh:1:1: `--array`: `1,3` is no range")]
#[case("#SBATCH --gres=gpu:a100:many\n", "train.sh:1:1: `--gres`: ")]
#[case("#SBATCH --mem=lots\n", "train.sh:1:1: `--mem`: `lots` is no memory")]
#[case("#SBATCH -J\n", "train.sh:1:1: `--job-name` needs a value")]
fn a_fault_is_told_with_file_and_line(#[case] text: &str, #[case] message: &str) {
    let told = fault(&format!("{text}true\n"));
    assert!(told.starts_with(message), "{told}");
}

#[rstest]
#[case::shebang("job", "#!/usr/bin/env python3\nprint(1)\n", true)]
#[case::name("train.sh", "echo hi\n", true)]
#[case::directive("-", "#SBATCH -c 2\necho\n", true)]
#[case::yaml("job.yaml", "#GPUJOB\nimage: a\n", false)]
#[case::look("standard input", "# a comment\nimage: a\n", false)]
fn scripts_are_told_from_job_files(
    #[case] source: &str,
    #[case] text: &str,
    #[case] expected: bool,
) {
    assert_eq!(super::is_script(source, text), expected);
}

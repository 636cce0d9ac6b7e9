//! Exact words in a shell string: argv survives a POSIX shell unchanged (job-model.md §2.2, cli.md §10).
//!
//! Exact, therefore no emulation. Never for shell text a user wrote: `script` is passed on as it stands.

/// What a POSIX shell, or bash, reads as a keyword where a command begins and whose letters are all safe ones.
const RESERVED_WORDS: [&str; 20] = [
    "case",
    "coproc",
    "do",
    "done",
    "elif",
    "else",
    "esac",
    "fi",
    "for",
    "function",
    "if",
    "in",
    "namespace",
    "repeat",
    "select",
    "then",
    "time",
    "until",
    "while",
    "foreach",
];

/// Whether a shell leaves the word alone: `^[A-Za-z0-9_@%+=:,./-]+$`.
pub fn is_safe_word(word: &str) -> bool {
    !word.is_empty()
        && word
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(&byte))
}

/// The word as a shell must see it anywhere but at the beginning of a command.
pub fn quote_word(word: &str) -> String {
    if is_safe_word(word) {
        word.to_owned()
    } else {
        in_single_quotes(word)
    }
}

/// One shell command that runs exactly these words.
///
/// A first word that looks like an assignment or is a reserved word is quoted even though its letters are safe.
pub fn join<S: AsRef<str>>(words: &[S]) -> String {
    let mut text = String::new();
    for (index, word) in words.iter().enumerate() {
        let word = word.as_ref();
        if index == 0 {
            text.push_str(&quote_first_word(word));
        } else {
            text.push(' ');
            text.push_str(&quote_word(word));
        }
    }
    text
}

/// The word as a shell must see it where a command begins.
pub fn quote_first_word(word: &str) -> String {
    if word.contains('=') || RESERVED_WORDS.contains(&word) {
        in_single_quotes(word)
    } else {
        quote_word(word)
    }
}

fn in_single_quotes(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    /// The words that a program called `first` is given by a real shell that runs the joined words.
    ///
    /// The program is a link to the shell, so that no test writes what another one executes.
    fn words_of_a_real_shell(first: &str, words: &[String]) -> Vec<String> {
        let directory = tempfile::tempdir().unwrap();
        symlink("/bin/sh", directory.path().join(first)).unwrap();
        let mut all: Vec<String> = [first, "-c", "printf '%s\\0' \"$@\"", "name"]
            .map(str::to_owned)
            .to_vec();
        all.extend_from_slice(words);
        let output = Command::new("/bin/sh")
            .args(["-c", &join(&all)])
            .env_clear()
            .env("PATH", directory.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{all:?}: {output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        let mut words: Vec<String> = text.split('\0').map(str::to_owned).collect();
        words.pop();
        words
    }

    #[test]
    fn safe_words_stay_bare_and_others_are_wrapped() {
        assert_eq!(
            join(&["python", "/data/train.py", "--epochs", "3"]),
            "python /data/train.py --epochs 3"
        );
        assert_eq!(quote_word(""), "''");
        assert_eq!(quote_word("it's"), r"'it'\''s'");
        assert_eq!(quote_word("a=b"), "a=b");
        assert_eq!(quote_word("~"), "'~'");
        assert_eq!(join::<&str>(&[]), "");
    }

    #[test]
    fn a_first_word_is_never_an_assignment_or_a_keyword() {
        for first in ["a=b", "A=", "time", "if", "while", "case", "in"] {
            assert!(join(&[first]).starts_with('\''), "{first}");
            let words = ["x=y", "if", "$HOME"].map(str::to_owned);
            assert_eq!(words_of_a_real_shell(first, &words), words);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_real_shell_gives_the_words_back(
            words in prop::collection::vec(
                prop_oneof![
                    "[^\\x00]{0,12}",
                    "[ \t\n\r'\"\\\\$`!*?~#&|;<>(){}\\[\\]=-]{0,8}",
                    Just("$(exit 3)".to_owned()),
                    Just("e\u{301}\u{202e}数据".to_owned()),
                ],
                1..8,
            )
        ) {
            prop_assert_eq!(words_of_a_real_shell("program", &words), words);
        }
    }
}

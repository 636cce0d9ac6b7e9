//! How a container's `command` becomes a program (paracloud.md §4.2 and §10, argv evaluation). Pure.

use crate::sandbox::process::Program;

use super::switches::Argv;

/// The program of a command in the environment that the service sets.
pub(super) fn program(argv: Argv, command: &[String], variables: &[(String, String)]) -> Program {
    match argv {
        Argv::Words => Program::Words(
            command
                .iter()
                .map(|word| substitute(word, variables))
                .collect(),
        ),
        // The job runs on the user's own machine: `rm -rf $UNSET/*` must not become `rm -rf /*`.
        Argv::Join => Program::Shell(format!("set -u; {}", command.join(" "))),
    }
}

/// Replaces `$NAME` and `${NAME}` of known variables within one word.
///
/// Unknown names stay as they are, for a shell inside the job to expand; an empty text in their place could turn a
/// path of the job into one of this machine.
fn substitute(word: &str, variables: &[(String, String)]) -> String {
    let mut pieces = word.split('$');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        if let Some((value, rest)) = reference(piece, variables) {
            text.push_str(value);
            text.push_str(rest);
        } else {
            text.push('$');
            text.push_str(piece);
        }
    }
    text
}

/// The value of the variable at the start of what follows a `$`, and what comes after its name.
fn reference<'a>(piece: &'a str, variables: &'a [(String, String)]) -> Option<(&'a str, &'a str)> {
    let (name, rest) = if let Some(braced) = piece.strip_prefix('{') {
        braced.split_once('}')?
    } else {
        let end = piece
            .find(|character: char| !(character.is_ascii_alphanumeric() || character == '_'))
            .unwrap_or(piece.len());
        piece.split_at_checked(end)?
    };
    let (_, value) = variables.iter().find(|(known, _)| known == name)?;
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn variables() -> Vec<(String, String)> {
        vec![
            ("BAT_PORT_ui".to_owned(), "31877".to_owned()),
            ("BAT_PORT_my-ui".to_owned(), "20001".to_owned()),
        ]
    }

    #[rstest]
    #[case("$BAT_PORT_ui", "31877")]
    #[case("--port=${BAT_PORT_ui}/x", "--port=31877/x")]
    #[case("$BAT_PORT_ui$BAT_PORT_ui", "3187731877")]
    #[case("a b $BAT_PORT_ui c", "a b 31877 c")]
    #[case("$BAT_PORT_uix", "$BAT_PORT_uix")]
    #[case("$HOME/x $1 $$ $", "$HOME/x $1 $$ $")]
    #[case("${BAT_PORT_ui", "${BAT_PORT_ui")]
    // The trap of §4.1: a hyphen ends the name.
    #[case("$BAT_PORT_my-ui", "$BAT_PORT_my-ui")]
    fn known_names_are_replaced_within_a_word(#[case] word: &str, #[case] expected: &str) {
        assert_eq!(substitute(word, &variables()), expected);
    }

    #[test]
    fn words_stay_words_unless_they_are_joined() {
        let command = ["sh".to_owned(), "-c".to_owned(), "exit 7".to_owned()];
        assert_eq!(
            program(Argv::Words, &command, &[]),
            Program::Words(command.to_vec())
        );
        assert_eq!(
            program(Argv::Join, &command, &[]),
            Program::Shell("set -u; sh -c exit 7".to_owned())
        );
    }
}

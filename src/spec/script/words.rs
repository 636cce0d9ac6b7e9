//! One line of directives to words, as a shell would split them.

/// Splits at blanks; quotes and backslashes keep them, and a word that begins with `#` begins a comment.
pub(super) fn split(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next() {
                        None => return Err(format!("the quote {character} is not closed")),
                        Some(end) if end == character => break,
                        Some('\\') if character == '"' => match characters.next() {
                            Some(escaped @ ('"' | '\\' | '$' | '`')) => word.push(escaped),
                            Some(other) => word.extend(['\\', other]),
                            None => return Err(format!("the quote {character} is not closed")),
                        },
                        Some(other) => word.push(other),
                    }
                }
            }
            '\\' => match characters.next() {
                Some(escaped) => word.get_or_insert_default().push(escaped),
                None => return Err("a line cannot go on on the next one".to_owned()),
            },
            '#' if word.is_none() => break,
            blank if blank.is_whitespace() => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Ok(words)
}

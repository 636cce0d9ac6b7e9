//! `-o name` and `-q`: one ref or id a line, made for `xargs` and `@-`.

use super::sanitize;

/// The names, a line each.
pub(super) fn lines(names: &[String]) -> String {
    let mut text = String::new();
    for name in names {
        text.push_str(&sanitize::line(name));
        text.push('\n');
    }
    text
}

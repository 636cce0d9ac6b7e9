//! The client over a transport made of paper, and the pure parts with recorded answers (RFC 4918, paracloud.md §6.2).

mod answers;
mod bench;
mod lengths;
mod parts;
mod receiving;
mod sending;

/// The text of a recorded answer.
fn recorded(name: &str) -> String {
    crate::testing::recorded(&format!("webdav-{name}.xml"))
}

/// A multistatus about one file.
fn about_file(href: &str, length: u64) -> String {
    about(
        href,
        &format!("<resourcetype/><getcontentlength>{length}</getcontentlength>"),
    )
}

/// A multistatus about one folder.
fn about_folder(href: &str) -> String {
    about(href, "<resourcetype><collection/></resourcetype>")
}

fn about(href: &str, properties: &str) -> String {
    format!(
        "<multistatus xmlns=\"DAV:\"><response><href>{href}</href><propstat><prop>{properties}</prop>\
         <status>HTTP/1.1 200 OK</status></propstat></response></multistatus>"
    )
}

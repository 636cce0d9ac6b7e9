//! Stored credentials of volumes.

use crate::model::TransferCredentials;
use crate::secret::Secret;

use super::*;

fn credentials(password: &str) -> TransferCredentials {
    TransferCredentials {
        username: "k8r2wq-bja1-x7m4tzb9".to_owned(),
        password: Secret::new(password),
        webdav_url: Some("https://webdav.example".to_owned()),
        sftp_address: None,
    }
}

#[test]
fn credentials_are_kept_for_the_owner_alone_and_read_back() {
    let folder = folder();
    let state = folder.path().join("gpujob");
    let store = CredentialStore::new(&state);
    let volume = job("x7m4tzb9");
    assert!(store.load(&volume).unwrap().is_none() && !store.has(&volume));
    let path = store.save(&volume, &credentials("pa\"ss\n字")).unwrap();
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&state.join("volumes")), 0o700);
    assert_eq!(mode(&state), 0o700);
    let kept = store.load(&volume).unwrap().unwrap();
    assert_eq!(kept.username, "k8r2wq-bja1-x7m4tzb9");
    assert_eq!(kept.password.expose(), "pa\"ss\n字");
    assert_eq!(kept.webdav_url.as_deref(), Some("https://webdav.example"));
    assert_eq!(kept.sftp_address, None);
    assert!(store.has(&volume));
}

#[test]
fn each_volume_has_a_file_of_its_own_inside_the_folder() {
    let folder = folder();
    let store = CredentialStore::new(folder.path());
    let volumes = [
        ResourceRef::new("p", ["a", "b"]),
        ResourceRef::new("p", ["a/b"]),
        ResourceRef::new("p", ["..", "..", "b"]),
    ];
    for (number, volume) in volumes.iter().enumerate() {
        let path = store
            .save(volume, &credentials(&number.to_string()))
            .unwrap();
        assert_eq!(path.parent(), Some(folder.path().join("volumes").as_path()));
    }
    for (number, volume) in volumes.iter().enumerate() {
        let kept = store.load(volume).unwrap().unwrap();
        assert_eq!(kept.password.expose(), number.to_string());
    }
}

#[test]
fn saving_replaces_whole_and_leaves_no_scraps() {
    let folder = folder();
    let store = CredentialStore::new(folder.path());
    let volume = job("x7m4tzb9");
    store
        .save(&volume, &credentials("a long first password"))
        .unwrap();
    store.save(&volume, &credentials("b")).unwrap();
    assert_eq!(store.load(&volume).unwrap().unwrap().password.expose(), "b");
    assert_eq!(folder.path().join("volumes").read_dir().unwrap().count(), 1);
    store.remove(&volume).unwrap();
    store.remove(&volume).unwrap();
    assert!(!store.has(&volume));
}

#[test]
fn what_cannot_be_kept_or_read_is_85_without_the_password() {
    let folder = folder();
    let blocked = folder.path().join("file");
    std::fs::write(&blocked, "x").unwrap();
    let volume = job("x7m4tzb9");
    let error = CredentialStore::new(&blocked)
        .save(&volume, &credentials("canary-7f3a"))
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Config);
    assert!(!format!("{error:?}").contains("canary"));

    let store = CredentialStore::new(folder.path());
    let path = store.save(&volume, &credentials("canary-7f3a")).unwrap();
    for torn in [
        "{\"username\": \"u\", \"password\": \"canary-7f3a",
        "{\"password\": \"canary-7f3a\"}",
        "canary-7f3a",
    ] {
        std::fs::write(&path, torn).unwrap();
        let error = store.load(&volume).unwrap_err();
        assert_eq!(error.code(), "credentials_unreadable");
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    }
}

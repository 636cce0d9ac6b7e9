use std::fs;

use tempfile::TempDir;

use super::*;
use crate::provider::cyclecloud::MountedResults;

#[tokio::test]
async fn the_files_of_every_node_are_read_to_their_ends() {
    let folder = TempDir::new().unwrap();
    let results = folder.path().to_str().unwrap();
    for (node, file, text) in [
        ("gpu-1", "stdout", "one\n"),
        ("gpu-1", "stderr", "oops\n"),
        ("gpu-2", "stdout", "two\n"),
        ("gpu-2", "exit_code", "0"),
    ] {
        let directory = folder.path().join("id-1").join(node);
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join(file), text).unwrap();
    }
    assert!(MountedResults.is_here(results));
    assert!(!MountedResults.is_here("relative"));
    assert_eq!(MountedResults.outputs(results, "../x"), []);
    let outputs = MountedResults.outputs(results, "id-1");
    let shown: Vec<_> = outputs
        .iter()
        .map(|output| {
            let file = output.path.file_name().unwrap().to_str().unwrap();
            (output.node.as_str(), file, output.has_ended)
        })
        .collect();
    let wanted = [
        ("gpu-1", "stdout", false),
        ("gpu-1", "stderr", false),
        ("gpu-2", "stdout", true),
    ];
    assert_eq!(shown, wanted);

    let mut reader = Reader {
        results: Arc::new(MountedResults),
        path: outputs[0].path.clone(),
        done: 0,
    };
    assert_eq!(reader.read(LogLook::Usual).await.unwrap().bytes, b"one\n");
    assert_eq!(reader.read(LogLook::Usual).await.unwrap().bytes, b"");
    let long = "x".repeat(PIECE + 10);
    fs::write(&outputs[0].path, format!("one\n{long}")).unwrap();
    let piece = reader.read(LogLook::Usual).await.unwrap();
    assert!(piece.more);
    assert_eq!(reader.read(LogLook::Last).await.unwrap().bytes.len(), 10);
}

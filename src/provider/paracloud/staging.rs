//! Puts the files of script mode into their volume, and takes them away again (paracloud.md §9.2).

use crate::error::{Error, Kind, Result};
use crate::model::{FileEntry, FilePath, ResourceRef};
use crate::provider::{Plan, Upload};
use crate::webdav::{Client, PUT_FILE};

use super::Paracloud;
use super::script;

impl Paracloud {
    /// Sends the plan's uploads in order; what was begun and cannot be ended is removed.
    pub(super) async fn stage_files(&self, plan: &Plan) -> Result<()> {
        let Some(first) = plan.uploads.first() else {
            return Ok(());
        };
        let files = self.files_of(&first.volume)?;
        let sent = async {
            for upload in &plan.uploads {
                files.send_planned(&upload.request).await?;
            }
            let arrived = files.list(&script::folder(&plan.marker)).await?;
            incomplete(&plan.uploads, &arrived).map_or(Ok(()), Err)
        };
        if let Err(error) = sent.await {
            self.remove_staged(&files, plan).await;
            let message = format!(
                "the job's script cannot be put into volume {}: {error}",
                first.volume
            );
            return Err(self.named(error.with_message(message)));
        }
        Ok(())
    }

    /// Removes the values of secrets of a job that will not read them any more; whether they are gone.
    pub(super) async fn remove_secrets(&self, (volume, folder): &(ResourceRef, FilePath)) -> bool {
        let path = folder.join(script::SECRETS);
        let removed = async { self.files_of(volume)?.delete(&path, false).await };
        match removed.await {
            Ok(()) => true,
            Err(error) => {
                self.session.reporter.warning(&format!(
                    "values of the job's secrets may still lie in `{path}` of volume {volume}: {error}"
                ));
                false
            }
        }
    }

    /// Removes the files of a job that is not to be.
    pub(super) async fn unstage_files(&self, plan: &Plan) {
        let Some(first) = plan.uploads.first() else {
            return;
        };
        match self.files_of(&first.volume) {
            Ok(files) => self.remove_staged(&files, plan).await,
            Err(error) => self.left_behind(plan, &error),
        }
    }

    async fn remove_staged(&self, files: &Client, plan: &Plan) {
        let removed = files.delete(&script::folder(&plan.marker), true).await;
        if let Err(error) = removed {
            self.left_behind(plan, &error);
        }
    }

    fn left_behind(&self, plan: &Plan, error: &Error) {
        self.session.reporter.note(&format!(
            "the job's files stay behind in `{}`: {error}",
            script::folder(&plan.marker)
        ));
    }
}

/// The first file that did not arrive as it was sent: a job must not run half a script (paracloud.md §6.2, "Verify").
fn incomplete(uploads: &[Upload], arrived: &[FileEntry]) -> Option<Error> {
    let mut files = uploads
        .iter()
        .filter(|upload| upload.request.operation == PUT_FILE);
    files.find_map(|upload| {
        let target = upload.request.full_target();
        let name = target.rsplit('/').next()?;
        let sent = upload.request.body.as_ref()?.len();
        let what = match arrived.iter().find(|entry| entry.path.name() == name) {
            None => format!("`{name}` did not arrive"),
            Some(entry) => {
                let there = entry.size_bytes?;
                if u64::try_from(sent) == Ok(there) {
                    return None;
                }
                format!("{there} bytes of `{name}` arrived of {sent}")
            }
        };
        Some(Error::new(Kind::Temporary, "incomplete_upload", what))
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::http::BaseUrl;
    use crate::webdav::Requests;

    #[rstest]
    #[case::whole(&[("run.sh", Some(4)), ("script", Some(2))], None)]
    #[case::untold(&[("run.sh", None), ("script", Some(2))], None)]
    #[case::cut(&[("run.sh", Some(3)), ("script", Some(2))], Some("3 bytes of `run.sh` arrived of 4"))]
    #[case::lost(&[("run.sh", Some(4))], Some("`script` did not arrive"))]
    fn what_arrived_is_compared_with_what_was_sent(
        #[case] arrived: &[(&str, Option<u64>)],
        #[case] expected: Option<&str>,
    ) {
        let requests = Requests::new(BaseUrl::parse("https://dav.example/vol").unwrap());
        let folder = FilePath::parse(".gpujob/m").unwrap();
        let volume = ResourceRef::new("para", ["k8r2wq", "NC-N30", "x7m4tzb9"]);
        let all = [
            requests.make_folder(&folder),
            requests.put_text(&folder.join("run.sh"), "true"),
            requests.put_text(&folder.join("script"), "ls"),
        ];
        let uploads = all.map(|request| Upload {
            volume: volume.clone(),
            request,
        });
        let arrived: Vec<FileEntry> = arrived
            .iter()
            .map(|(name, size_bytes)| FileEntry {
                path: folder.join(name),
                is_folder: false,
                size_bytes: *size_bytes,
                modified_at: None,
            })
            .collect();
        let found = incomplete(&uploads, &arrived).map(|error| error.message().to_owned());
        assert_eq!(found.as_deref(), expected);
    }
}

//! Puts the files of script mode into their volume, and takes them away again (paracloud.md §9.2).

use crate::error::Result;
use crate::provider::Plan;
use crate::webdav::Client;

use super::Paracloud;
use super::script;

impl Paracloud {
    /// Sends the plan's uploads in order; what was begun and cannot be ended is removed.
    pub(super) async fn stage_files(&self, plan: &Plan) -> Result<()> {
        let Some(first) = plan.uploads.first() else {
            return Ok(());
        };
        let files = self.files_of(&first.volume)?;
        for upload in &plan.uploads {
            if let Err(error) = files.send_planned(&upload.request).await {
                self.remove_staged(&files, plan).await;
                let message = format!(
                    "the job's script cannot be put into volume {}: {error}",
                    upload.volume
                );
                return Err(self.named(error.with_message(message)));
            }
        }
        Ok(())
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

    fn left_behind(&self, plan: &Plan, error: &crate::error::Error) {
        self.session.reporter.note(&format!(
            "the job's files stay behind in `{}`: {error}",
            script::folder(&plan.marker)
        ));
    }
}

//! A transport made of paper: expected requests with their answers, in order; one that is left over fails the test.

use std::sync::Arc;

use http::HeaderMap;
use serde_json::{Value, json};

use super::super::{Connection, Gongji, GongjiDialect};
use crate::http::BaseUrl;
use crate::secret::Secret;
use crate::sign::GongjiSigner;
use crate::testing::{Desk, Paper, Scripted, Still, answer};

/// A success with this `data`.
pub(super) fn ok(data: &Value) -> Scripted {
    answer(
        200,
        json!({"code": "0000", "message": "success", "data": data}),
    )
}

/// An envelope of failure inside a 200.
pub(super) fn refused(message: &str) -> Scripted {
    answer(
        200,
        json!({"code": "C999", "message": message, "data": null}),
    )
}

/// The time on the day of the contract's examples.
const NOW: &str = "2026-05-10T04:00:00Z";

/// Stands at [`NOW`].
pub(super) fn stopped_clock() -> Arc<Still> {
    Arc::new(Still::at(NOW))
}

/// A provider, and both ends of it.
#[derive(Debug)]
pub(super) struct Bench {
    pub(super) gongji: Gongji,
    desk: Desk,
}

impl Bench {
    pub(super) fn new<const N: usize>(script: [(&str, Scripted); N]) -> Self {
        Self::of(script.into())
    }

    pub(super) fn of(script: Vec<(&str, Scripted)>) -> Self {
        let desk = Desk::new(NOW, Paper::in_order(script));
        let token = Secret::new("token-1");
        let signer = GongjiSigner::new(&token, None).unwrap();
        let dialect = GongjiDialect::new(vec![token], false, stopped_clock());
        let mut session = desk.session("gongji", signer, dialect);
        session.patience.read_limit = super::super::READ_LIMIT;
        let gongji = Gongji::new(Connection {
            name: "gongji".to_owned(),
            session,
            base: BaseUrl::parse("https://openapi.suanli.cn").unwrap(),
            region: None,
        });
        Self { gongji, desk }
    }

    pub(super) fn notes(&self) -> Vec<String> {
        self.desk.notebook.notes()
    }

    /// Headers and JSON bodies that were sent.
    pub(super) fn sent(&self) -> Vec<(HeaderMap, Value)> {
        let calls = self.desk.paper.calls();
        calls
            .into_iter()
            .map(|call| (call.headers.clone(), call.json()))
            .collect()
    }
}

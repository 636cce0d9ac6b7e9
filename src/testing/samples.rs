//! Values that many tests begin with.

use serde_json::Value;

use crate::model::{Offer, ResourceRef};
use crate::provider::{Plan, Tracked};
use crate::spec::{Format, JobSpec};

/// A job file as a user writes it.
pub(crate) fn spec(yaml: &str) -> JobSpec {
    crate::spec::parse_document("job.yaml", yaml, Some(Format::Yaml)).unwrap()
}

/// The body of the one request.
pub(crate) fn body_of(plan: &Plan) -> Value {
    assert_eq!(plan.requests.len(), 1);
    serde_json::from_slice(plan.requests[0].body_bytes()).unwrap()
}

/// A job of which this machine remembers nothing.
pub(crate) fn tracked(job_ref: ResourceRef) -> Tracked {
    Tracked {
        job_ref,
        cancel_requested_at: None,
        time_limit_s: None,
        reading: None,
        start_by: None,
    }
}

/// An offer of which nothing but the id is known, which is its name too.
pub(crate) fn offer(id: &str) -> Offer {
    Offer {
        id: id.to_owned(),
        name: id.to_owned(),
        cluster: None,
        region: None,
        queue: None,
        gpu: None,
        gpu_text: None,
        cpu_cores: None,
        memory_bytes: None,
        arch: None,
        price_per_hour: None,
        price_source: None,
        spot: None,
        stock: None,
        available: None,
        infiniband: None,
        note: None,
        as_of: None,
        raw: Value::Null,
    }
}

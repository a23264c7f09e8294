//! How a caller's buckets stand, as headers: `RateLimit` and `RateLimit-Policy` of the IETF draft
//! (draft-ietf-httpapi-ratelimit-headers-10), and `Retry-After`.
//!
//! The quota is in points of cost, not in requests. `RateLimit` tells of the bucket that is emptiest
//! for its size, since that is the one to heed.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use praxis_platform::rates::Verdict;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Adds the headers to an answer.
pub(super) fn add(headers: &mut HeaderMap, verdict: &Verdict) {
    let policies: Vec<_> = verdict
        .standings
        .iter()
        .map(|standing| {
            let (name, rate) = (standing.scope.name(), standing.rate);
            format!("\"{name}\";q={};qu=\"points\";w={}", rate.points, rate.window())
        })
        .collect();
    if let Ok(value) = HeaderValue::from_str(&policies.join(", ")) {
        headers.insert(RATE_LIMIT_POLICY, value);
    }
    if let Some(standing) = verdict.tightest() {
        let reset = standing.full_in().as_millis().div_ceil(1_000);
        let value = format!("\"{}\";r={};t={reset}", standing.scope.name(), standing.available());
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(RATE_LIMIT, value);
        }
    }
    if !verdict.allowed() {
        let seconds = verdict.wait.as_millis().div_ceil(1_000);
        headers.insert(header::RETRY_AFTER, u64::try_from(seconds).unwrap_or(u64::MAX).into());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use praxis_platform::rates::{Rate, Scope, Standing};

    use super::*;

    #[test]
    fn the_emptiest_bucket_is_told_and_all_policies() {
        let standing =
            |scope, points, restore, level| Standing { scope, rate: Rate { points, restore }, level };
        let verdict = Verdict {
            wait: Duration::from_millis(1_200),
            standings: vec![
                standing(Scope::Tenant, 400_000, 20_000, 200_000_000),
                standing(Scope::Actor, 20_000, 1_000, 500_500),
            ],
        };
        let mut headers = HeaderMap::new();
        add(&mut headers, &verdict);
        assert_eq!(headers[RATE_LIMIT], "\"actor\";r=500;t=20");
        assert_eq!(
            headers[RATE_LIMIT_POLICY],
            "\"tenant\";q=400000;qu=\"points\";w=20, \"actor\";q=20000;qu=\"points\";w=20"
        );
        assert_eq!(headers[header::RETRY_AFTER], "2");
    }
}

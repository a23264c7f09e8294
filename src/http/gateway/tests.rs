use axum::http::HeaderValue;
use chrono::DateTime;
use praxis_entity::{control::tenant, ids::TenantId};
use uuid::Uuid;

use praxis_platform::tenancy::{snapshot_served_from, snapshot_version};

use super::*;

fn tenant(state: TenantState, schema_version: i32) -> Tenant {
    let id = TenantId(Uuid::from_u128(7));
    Tenant::from_row(tenant::Model {
        id,
        schema_name: format!("t_{}", praxis_entity::ids::encode_base32(id.0)),
        slug: "northside".into(),
        display_name: "Northside".into(),
        region: None,
        locale: "en".into(),
        time_zone: "UTC".into(),
        cell_id: "main".into(),
        login_shard: 0,
        state,
        state_since: DateTime::UNIX_EPOCH,
        schema_version,
        oldest_build: 0,
        changed: 1,
        key_epoch: 0,
        moves: 0,
        template: "base".into(),
        template_version: "1".into(),
        created_at: DateTime::UNIX_EPOCH,
        row_version: 1,
        operation_mode: None,
        rate_points: None,
        rate_restore: None,
        actor_rate_points: None,
        actor_rate_restore: None,
    })
    .unwrap()
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

#[test]
fn a_header_may_repeat_the_clinic_and_nothing_else() {
    let tenant = tenant(TenantState::Active, snapshot_version());
    let id = tenant.id.to_string();
    for good in [
        &[][..],
        &[("praxis-tenant", "northside")],
        &[("x-tenant-id", &id)],
        &[("x-tenant-id", &id), ("praxis-tenant", "northside")],
    ] {
        assert_eq!(repeats(&tenant, &headers(good)), Ok(()), "{good:?}");
    }
    for bad in [
        &[("praxis-tenant", "harbor")][..],
        &[("praxis-tenant", "Northside")],
        &[("praxis-tenant", "")],
        &[("x-tenant-id", "northside, harbor")],
        &[("x-tenant-id", "northside"), ("x-tenant-id", "harbor")],
        &[("x-tenant-id", "northside"), ("praxis-tenant", "harbor")],
        &[("x-tenant-id", "\u{e9}")],
    ] {
        assert_eq!(repeats(&tenant, &headers(bad)), Err(MISMATCH), "{bad:?}");
    }
}

#[test]
fn what_is_served_follows_from_state_and_version() {
    let newest = snapshot_version();
    let from = snapshot_served_from();
    assert!(from <= newest);
    for state in [TenantState::Active, TenantState::PastDue, TenantState::Locked, TenantState::Offboarding] {
        assert_eq!(served(&tenant(state, newest)), Ok(()));
        assert_eq!(served(&tenant(state, from)), Ok(()));
        assert_eq!(served(&tenant(state, from - 1)), Err(MIGRATING));
        // Newer ones are served for as long as nothing was taken away.
        let ahead = |oldest_build| Tenant { oldest_build, ..tenant(state, newest + 2) };
        assert_eq!(served(&ahead(newest)), Ok(()));
        assert_eq!(served(&ahead(newest + 1)), Err(MIGRATING));
    }
    assert_eq!(served(&tenant(TenantState::Suspended, newest)), Err(SUSPENDED));
    for state in [TenantState::Provisioning, TenantState::Archived, TenantState::Shredded] {
        assert_eq!(served(&tenant(state, newest)), Err(UNKNOWN));
    }
}

#[test]
fn the_host_is_the_one_that_was_named() {
    let of = |uri: &str, stated: Option<&str>| {
        let request = Request::get(uri);
        let request = stated.map_or(request, |stated| Request::get(uri).header(header::HOST, stated));
        host(&request.body(Body::empty()).unwrap()).map(|host| host.as_str().to_owned())
    };
    assert_eq!(of("/graphql", Some("Northside.localhost:8080")).as_deref(), Some("northside.localhost"));
    assert_eq!(of("http://northside.localhost/graphql", None).as_deref(), Some("northside.localhost"));
    assert_eq!(of("/graphql", Some("north side")), None);
    assert_eq!(of("http://user@northside.localhost/", None), None);
    assert_eq!(of("/graphql", None), None);
}

#[test]
fn options_of_a_request_are_read_or_refused() {
    assert_eq!(redaction(&headers(&[])), Ok(RedactionMode::Silent));
    assert_eq!(redaction(&headers(&[("praxis-redaction", "error")])), Ok(RedactionMode::Error));
    assert!(redaction(&headers(&[("praxis-redaction", "loud")])).is_err());
    assert_eq!(idempotency_key(&headers(&[("idempotency-key", "k-1")])), Ok(Some("k-1".into())));
    assert!(idempotency_key(&headers(&[("idempotency-key", "")])).is_err());
    assert!(idempotency_key(&headers(&[("idempotency-key", &"k".repeat(256))])).is_err());
    assert!(idempotency_key(&headers(&[("idempotency-key", "a"), ("idempotency-key", "b")])).is_err());
    let id = FacilityId(Uuid::from_u128(9));
    assert_eq!(facility(&headers(&[("praxis-facility", &id.to_string())])), Ok(Some(id)));
    assert!(facility(&headers(&[("x-facility-id", "main")])).is_err());
    let twice = headers(&[("x-facility-id", &id.to_string()), ("praxis-facility", &id.to_string())]);
    assert!(facility(&twice).is_err());
}

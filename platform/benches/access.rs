//! What deciding about access costs: `make bench-micro`.

#![expect(clippy::unwrap_used, reason = "a benchmark that meets something else stops here")]

use std::hint::black_box;

use chrono::{DateTime, Utc};
use criterion::{Criterion, criterion_group, criterion_main};
use praxis_entity::ids::{FacilityId, PatientId, PractitionerId, UserId};
use praxis_platform::access::{
    Actor, ActorKind, Directive, Facts, Grant, Permission, PermissionSet, RecordClass, Relation, Row,
    Sensitivity, Standing, Whom,
};
use uuid::Uuid;

const HERE: FacilityId = FacilityId(Uuid::from_u128(3));

/// A physician with a second role at one branch, for patients of their own.
fn physician() -> Actor {
    let mut permissions = PermissionSet::NONE;
    for permission in [Permission::PATIENT_READ, Permission::PATIENT_NAME_READ, Permission::APPOINTMENT_READ]
    {
        permissions.insert(permission);
    }
    Actor {
        kind: ActorKind::User,
        user: Some(UserId(Uuid::from_u128(1))),
        practitioner: Some(PractitionerId(Uuid::from_u128(2))),
        roles: vec!["physician".to_owned(), "nurse".to_owned()],
        permissions,
        grants: vec![
            Grant { permissions, facility: None, condition: None },
            Grant { permissions, facility: Some(HERE), condition: Some(Relation::EVERY[0]) },
        ],
        ..Actor::anonymous()
    }
}

/// A patient who forbids something to somebody, with one label.
fn patient() -> Facts {
    Facts {
        known_at: vec![HERE],
        in_care: true,
        directives: vec![Directive {
            permit: false,
            class: RecordClass::EVERY[1],
            whom: Whom::Role("nurse".to_owned()),
        }],
        labels: vec![(Uuid::from_u128(5), Sensitivity::Restricted)],
        ..Facts::default()
    }
}

fn access(c: &mut Criterion) {
    let (actor, id) = (physician(), PatientId(Uuid::from_u128(4)));
    let now: DateTime<Utc> = "2027-01-01T12:00:00Z".parse().unwrap();
    let standing = Standing::new(&actor, id, patient(), now);
    let row = Row { facility: Some(HERE), practitioner: actor.practitioner, ..Row::of(Uuid::from_u128(6)) };
    let rights = standing.on(&actor, &row);
    c.bench_function("how a reader stands to a patient", |b| {
        b.iter(|| Standing::new(black_box(&actor), id, patient(), now))
    });
    c.bench_function("what a reader may with a row", |b| {
        b.iter(|| standing.on(black_box(&actor), black_box(&row)))
    });
    c.bench_function("whether a field is closed", |b| {
        b.iter(|| black_box(&rights).closed(black_box(Permission::PATIENT_CONTACT_READ)))
    });
}

criterion_group!(benches, access);
criterion_main!(benches);

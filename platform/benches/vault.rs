//! What the vault costs: `make bench-micro`.

#![expect(clippy::unwrap_used, reason = "a benchmark that meets something else stops here")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use praxis_entity::value::{HumanName, Identity, PartialDate};
use praxis_platform::vault::{DataKey, IndexField, NameIndex, Place, TenantKey};
use uuid::Uuid;

fn identity() -> Identity {
    let name = HumanName {
        given: vec!["Mairead".to_owned()],
        family: "O'Callaghan".to_owned(),
        ..HumanName::default()
    };
    Identity {
        names: vec![name],
        birth_date: PartialDate::Year(1980),
        deceased: None,
        marital_status: None,
        languages: Vec::new(),
        races: Vec::new(),
        ethnicities: Vec::new(),
        birth_sex: None,
    }
}

fn vault(c: &mut Criterion) {
    let (tenant, patient) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let tenant_key = TenantKey::generate(tenant, 1).unwrap();
    let key = DataKey::generate(tenant, patient, 1).unwrap();
    let wrapped = tenant_key.wrap_data_key(&key).unwrap();
    let place = Place { tenant, table: "patient", row: patient, subject: patient };
    let value = identity();
    let sealed = key.seal(&place, &value).unwrap();
    c.bench_function("seal an identity", |b| b.iter(|| key.seal(&place, black_box(&value)).unwrap()));
    c.bench_function("open an identity", |b| b.iter(|| key.open(&place, black_box(&sealed)).unwrap()));
    c.bench_function("unwrap a data key", |b| {
        b.iter(|| tenant_key.unwrap_data_key(patient, black_box(&wrapped)).unwrap())
    });
    c.bench_function("token of an e-mail address", |b| {
        b.iter(|| tenant_key.token(IndexField::Email, black_box("mairead@example.org")));
    });
    let cursor = tenant_key.seal_cursor(&[7; 32], &[1; 25]).unwrap();
    c.bench_function("seal a cursor", |b| {
        b.iter(|| tenant_key.seal_cursor(&[7; 32], black_box(&[1; 25])).unwrap())
    });
    c.bench_function("open a cursor", |b| {
        b.iter(|| tenant_key.open_cursor(&[7; 32], black_box(&cursor)).unwrap())
    });
}

fn names(c: &mut Criterion) {
    let mut index = NameIndex::default();
    for number in 0..100_000_u128 {
        let family = format!("Family{}", number % 5_000);
        let given = format!("Given{}", number % 777);
        index.upsert(Uuid::from_u128(number), &[&family, &given], &family);
    }
    c.bench_function("search 100,000 names for two words", |b| {
        b.iter(|| index.search(black_box("family12 given7"), 100))
    });
}

criterion_group!(benches, vault, names);
criterion_main!(benches);

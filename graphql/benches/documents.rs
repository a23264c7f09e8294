//! What a document costs before it runs, and the schema at the start: `make bench-micro`.

#![expect(clippy::unwrap_used, reason = "a benchmark that meets something else stops here")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use futures::executor::block_on;
use praxis_graphql::{build, limits::Limits};

/// Q2 of the benchmark: a list with lists in it.
const PAGE: &str = "query Q2($after: String) { patients(first: 20, after: $after) { nodes { id name { full } birthDate \
     appointments(first: 5, orderBy: [{ field: STARTS_AT, direction: DESC }]) { \
     nodes { startsAt status practitioner { displayName } } } } } }";

fn documents(c: &mut Criterion) {
    let api = build(Limits::default()).unwrap();
    c.bench_function("parse, judge and validate a document", |b| {
        b.iter(|| block_on(api.judge(black_box(PAGE))).unwrap())
    });
    let mut starts = c.benchmark_group("start");
    starts.sample_size(10);
    starts.bench_function("build the schema", |b| b.iter(|| build(black_box(Limits::default())).unwrap()));
    starts.finish();
}

criterion_group!(benches, documents);
criterion_main!(benches);

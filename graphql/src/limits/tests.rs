//! Hostile documents, and the ones every tool sends.

use std::time::{Duration, Instant};

use async_graphql::{
    Variables,
    parser::{parse_query, parse_schema, types::DocumentOperations},
};
use proptest::{prelude::*, test_runner::Config};
use serde_json::{Value as Json, json};

use super::{Excess, FieldSizes, Limits, Unfit, check_shape, check_text, measure};

const SDL: &str = r#"
    type Query {
        patients(first: Int, last: Int, filter: PatientFilter): PatientConnection!
        patient(id: ID!): Patient
        node: Node
    }
    interface Node { id: ID! }
    type PatientConnection { nodes: [Patient!]! edges: [PatientEdge!]! totalCount: Int! }
    type PatientEdge { node: Patient! }
    type Patient implements Node {
        id: ID!
        name: String
        addresses: [Address!]!
        patients(first: Int): PatientConnection!
    }
    type Address { line: String }
    enum Sex { FEMALE MALE }
    input PatientFilter { and: [PatientFilter!] or: [PatientFilter!] not: PatientFilter sex: SexFilter mrn: ExactFilter }
    input SexFilter { eq: Sex in: [Sex!] }
    input ExactFilter { eq: String in: [String!] }
    input Lookup @oneOf { id: ID mrn: String }
    input Range { from: DateTime! until: DateTime sex: Sex! = FEMALE }
    scalar DateTime
    type Mutation { sessionStart(a: Int): Patient patientCreate(input: [Int]): Patient }
"#;

fn sizes() -> FieldSizes {
    FieldSizes::read(&parse_schema(SDL).expect("the test's schema parses"))
}

fn judge(query: &str, variables: Json) -> Result<u64, Excess> {
    let limits = Limits::default();
    check_text(query, &limits)?;
    let document = parse_query(query).expect("the test's document parses");
    let selected = match &document.operations {
        DocumentOperations::Single(operation) => operation,
        DocumentOperations::Multiple(operations) => operations.values().next().expect("one"),
    };
    let sizes = sizes();
    check_shape(&document, &sizes, &limits)?;
    let measured = measure(&document, &selected.node, &Variables::from_json(variables), &sizes, &limits)?;
    Ok(measured.cost)
}

fn cost(query: &str) -> u64 {
    judge(query, json!({})).expect("within bounds")
}

fn refusal(query: &str) -> Excess {
    judge(query, json!({})).expect_err("out of bounds")
}

#[test]
fn a_field_counts_one_and_a_page_multiplies_its_lists_only() {
    assert_eq!(cost("{ patient(id: 1) { id name } }"), 3);
    assert_eq!(cost("{ patients { totalCount nodes { id } } }"), 1 + 1 + 1 + 25);
    assert_eq!(cost("{ patients(first: 10) { nodes { id name } } }"), 1 + 1 + 20);
    assert_eq!(cost("{ patients(last: 10) { edges { node { id } } } }"), 1 + 1 + 10 * 2);
    assert_eq!(cost("{ patient(id: 1) { addresses { line } } }"), 1 + 1 + 4);
    assert_eq!(cost("{ patients(first: 10) { nodes { patients(first: 2) { nodes { id } } } } }"), 42);
}

#[test]
fn page_sizes_come_from_variables_and_their_defaults() {
    let query = "query($n: Int = 7) { patients(first: $n) { nodes { id } } }";
    assert_eq!(judge(query, json!({})), Ok(9));
    assert_eq!(judge(query, json!({ "n": 3 })), Ok(5));
    assert_eq!(judge(query, json!({ "n": null })), Ok(27));
    assert_eq!(judge(query, json!({ "n": "many" })), Ok(27));
}

#[test]
fn absurd_page_sizes_do_not_overflow() {
    for (first, expected) in [("-1", 3), ("0", 3), ("101", 102), ("99999999999999999999", 3)] {
        let query = format!("{{ patients(first: {first}) {{ nodes {{ id }} }} }}");
        assert_eq!(cost(&query), expected, "{first}");
    }
    let deep = "{ patients(first: 100) { nodes { patients(first: 100) { nodes { id } } } } }";
    assert!(matches!(refusal(deep), Excess::Cost { cost: 10_202, limit: 2_000 }), "{deep}");
}

#[test]
fn a_cost_is_found_through_fragments_and_interfaces() {
    let query = "{ node { ...p } } fragment p on Patient { patients(first: 3) { nodes { id } } }";
    assert_eq!(cost(query), 1 + 1 + 1 + 3);
    assert_eq!(cost("{ node { ... on Patient { addresses { line } } } }"), 1 + 1 + 4);
}

#[test]
fn large_arguments_cost() {
    let input: Vec<u32> = (0..1_000).collect();
    let query = "mutation($i: [Int]) { patientCreate(input: $i) { id } }";
    assert_eq!(judge(query, json!({ "i": input })), Ok(12));
    let often =
        format!("query($i: ID!) {{ patients(first: 100) {{ nodes {{ {} }} }} }}", "name(a: $i) ".repeat(15));
    let input: Vec<u32> = (0..50_000).collect();
    assert!(matches!(judge(&often, json!({ "i": input })), Err(Excess::Cost { .. })));
}

#[test]
fn terms_of_filters_are_priced_and_bounded() {
    let query = "query($f: PatientFilter) { patients(filter: $f, first: 1) { nodes { id } } }";
    let any = |terms: usize| {
        let one = json!({ "sex": { "eq": "MALE" } });
        json!({ "f": { "or": vec![one; terms] } })
    };
    // A filter, its comparator and the value compared with are three.
    assert_eq!(judge(query, any(3)), Ok(3));
    assert_eq!(judge(query, any(30)), Ok(3 + 2 * (91 - 10)));
    assert_eq!(judge(query, any(6_000)), Err(Excess::FilterTerms(200)));
    let listed = |count: usize| json!({ "f": { "mrn": { "in": vec!["x"; count] } } });
    assert!(matches!(judge(query, listed(100)), Ok(cost) if cost > 150));
    assert_eq!(judge(query, listed(201)), Err(Excess::FilterTerms(200)));
    // Written into the document, spread over fields, or hidden in a default: the same.
    let literal = "{sex: {eq: MALE}} ".repeat(70);
    let query = format!("{{ patients(first: 1, filter: {{or: [{literal}]}}) {{ nodes {{ id }} }} }}");
    assert_eq!(judge(&query, json!({})), Err(Excess::FilterTerms(200)));
    let field = |n: usize| {
        format!(
            "p{n}: patients(first: 1, filter: {{or: [{}]}}) {{ nodes {{ id }} }} ",
            "{sex: {eq: MALE}} ".repeat(20)
        )
    };
    let query = format!("{{ {} }}", (0..5).map(field).collect::<String>());
    assert_eq!(judge(&query, json!({})), Err(Excess::FilterTerms(200)));
    let query = format!(
        "query($f: PatientFilter = {{or: [{literal}]}}) {{ patients(first: 1, filter: $f) {{ nodes {{ id }} }} }}"
    );
    assert_eq!(judge(&query, json!({})), Err(Excess::FilterTerms(200)));
}

#[test]
fn values_of_variables_fit_their_types() {
    let sizes = sizes();
    let judged = |ty: &str, value: Json| {
        let ty = async_graphql::parser::types::Type::new(ty).expect("a type");
        sizes.inputs.misfit(&ty, &async_graphql::Value::from_json(value).expect("a value"))
    };
    for (ty, value) in [
        ("Int", json!(null)),
        ("Int!", json!(7)),
        ("[Int!]!", json!(7)),
        ("[Int]", json!([1, null])),
        ("ID!", json!("a")),
        ("ID!", json!(7)),
        ("Sex", json!("MALE")),
        ("Float", json!(1)),
        ("PatientFilter", json!({ "or": [{ "sex": { "in": ["MALE"] } }] })),
        ("Lookup!", json!({ "id": "a" })),
        ("Range", json!({ "from": "x" })),
        ("DateTime", json!("x")),
    ] {
        assert_eq!(judged(ty, value.clone()), None, "{ty} {value}");
    }
    for (ty, value) in [
        ("Int!", json!(null)),
        ("Int", json!("7")),
        ("Int", json!(3_000_000_000_u64)),
        ("Int", json!(1.5)),
        ("[Int!]", json!([null])),
        ("String", json!(7)),
        ("Boolean", json!("true")),
        ("Sex", json!("secret")),
        ("PatientFilter", json!({ "secret": 1 })),
        ("PatientFilter", json!([])),
        ("PatientFilter", json!("x")),
        ("Lookup", json!({})),
        ("Lookup", json!({ "id": "a", "mrn": "b" })),
        ("Lookup", json!({ "id": null })),
        ("Range", json!({ "until": "x" })),
        ("Range", json!({ "from": null })),
    ] {
        let reason = judged(ty, value.clone());
        assert!(reason.as_ref().is_some_and(|reason| !reason.contains("secret")), "{ty} {value} {reason:?}");
    }
    let mut deep = json!({});
    for _ in 0..200 {
        deep = json!({ "not": deep });
    }
    assert!(judged("PatientFilter", deep).is_some());
}

#[test]
fn only_values_that_speak_of_nobody_may_stand_in_a_url() {
    let sizes = sizes();
    let harmless = |ty: &str| {
        sizes.inputs.speaks_of_nobody(&async_graphql::parser::types::Type::new(ty).expect("a type"))
    };
    assert!(["Int!", "[ID!]", "Sex", "SexFilter", "Range"].into_iter().all(harmless));
    assert!(!["String", "[String!]!", "PatientFilter", "Lookup", "JSON"].into_iter().any(harmless));
}

#[test]
fn fields_are_at_most_twelve_deep() {
    let nested = |levels: usize| format!("{}{}", "{a".repeat(levels), "}".repeat(levels));
    assert_eq!(cost(&nested(12)), 12);
    assert_eq!(refusal(&nested(13)), Excess::Depth(12));
    let wrapped = format!("{}a{}", "{... on Query".repeat(31) + "{", "}".repeat(32));
    assert_eq!(cost(&wrapped), 1);
    assert!(matches!(refusal(&nested(40)), Excess::Document(Unfit::Nesting(32))));
    assert!(matches!(refusal(&nested(5_000)), Excess::Document(Unfit::Nesting(64))));
    assert!(matches!(
        refusal(&format!("{{ a(x: {}) }}", "[".repeat(9_000))),
        Excess::Document(Unfit::Nesting(64))
    ));
}

#[test]
fn aliases_roots_and_directives_are_counted() {
    let aliases = |count: usize| {
        let fields: String = (0..count).map(|n| format!("a{n}: name ")).collect();
        format!("{{ patient(id: 1) {{ {fields} }} }}")
    };
    assert_eq!(cost(&aliases(30)), 31);
    assert_eq!(refusal(&aliases(31)), Excess::Aliases(30));
    assert_eq!(refusal(&format!("{{ {} }}", "node { id } ".repeat(21))), Excess::RootFields(20));
    assert_eq!(refusal(&format!("{{ a {} }}", "@x".repeat(11))), Excess::Document(Unfit::Directives(10)));
    let many: String = (0..11).map(|n| format!("query q{n} {{ node {{ id }} }} ")).collect();
    assert_eq!(refusal(&many), Excess::Document(Unfit::Operations(10)));
}

#[test]
fn guesses_and_mutations_run_once() {
    let twice = "mutation { a: sessionStart(a: 1) { id } b: sessionStart(a: 2) { id } }";
    assert!(matches!(refusal(twice), Excess::Repeated(_)));
    let same = "mutation { patientCreate { id } ...m } fragment m on Mutation { patientCreate { name } }";
    assert!(matches!(refusal(same), Excess::DuplicateMutation(_)));
    assert_eq!(cost("mutation { a: patientCreate { id } b: patientCreate { id } }"), 4);
}

#[test]
fn fragments_are_judged_before_they_are_written_out() {
    let doubling: String =
        (0..40).map(|n| format!("fragment f{n} on Query {{ ...f{} ...f{} }} ", n + 1, n + 1)).collect();
    let doubling = format!("{{ ...f10 }} {doubling} fragment f40 on Query {{ a }}");
    let wide: String = (0..800).map(|n| format!("fragment w{n} on Query {{ ...x }} ")).collect();
    let all: String = (0..800).map(|n| format!("...w{n} ")).collect();
    let wide = format!("{{ {all} }} {wide} fragment x on Query {{ a }}");
    let started = Instant::now();
    assert_eq!(refusal(&doubling), Excess::Document(Unfit::Nodes(10_000)));
    assert!(started.elapsed() < Duration::from_millis(50), "{:?}", started.elapsed());
    assert_eq!(refusal(&wide), Excess::RootFields(20));
    assert!(matches!(
        refusal("{ ...a } fragment a on Query { ...b } fragment b on Query { x { ...a } }"),
        Excess::Document(Unfit::FragmentCycle(_))
    ));
    assert!(matches!(refusal("{ a } fragment a on Query { a }"), Excess::Document(Unfit::UnusedFragment(_))));
    assert!(matches!(refusal("{ ...a }"), Excess::Document(Unfit::UnknownFragment(_))));
    let chain: String = (0..900).map(|n| format!("fragment c{n} on Query {{ ...c{} }} ", n + 1)).collect();
    assert!(matches!(
        refusal(&format!("{{ ...c0 }} {chain} fragment c900 on Query {{ a }}")),
        Excess::Document(Unfit::Nesting(32))
    ));
}

#[test]
fn a_memoised_fragment_does_not_hide_its_height() {
    let inner = format!("{}{}", "{a".repeat(20), "}".repeat(20));
    let outer = format!("{}{{...f}}{}", "{a".repeat(19), "}".repeat(19));
    let query = format!("{{ ...f b {outer} }} fragment f on Query {inner}");
    assert!(matches!(refusal(&query), Excess::Document(Unfit::Nesting(32))));
}

#[test]
fn brackets_in_strings_and_comments_are_text() {
    let many = "[".repeat(100);
    for text in [
        format!("{{ a(x: \"{many}\\\"{many}\") }} # {many} \""),
        format!("{{ a(x: \"\"\"{many} \\\"\"\" \" {many}\"\"\") }}"),
        format!("{{ a(x: \"\") #{many}\r b }}"),
    ] {
        assert_eq!(check_text(&text, &Limits::default()), Ok(()), "{text}");
        assert!(parse_query(&text).is_ok(), "{text}");
    }
    for open in ["{ a(x: \"", "{ a(x: \"\"\"a\"\")}", "{ a(x: \"\n\") }", "{ a(x: \"\\"] {
        assert_eq!(check_text(open, &Limits::default()), Err(Excess::Document(Unfit::OpenString)), "{open}");
    }
    assert_eq!(
        check_text(&"a ".repeat(10_001), &Limits::default()),
        Err(Excess::Document(Unfit::Tokens(10_000)))
    );
}

#[test]
fn tools_may_introspect_but_not_explode() {
    let standard = include_str!("introspection.graphql");
    assert_eq!(judge(standard, json!({})), Ok(1));
    let reentrant = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }";
    assert_eq!(refusal(reentrant), Excess::IntrospectionCost);
    assert_eq!(cost("{ __type(name: \"Patient\") { fields { type { fields { name } } } } }"), 1);
    let thrice = format!(
        "{{ __schema {{ {} }} }}",
        "types { fields { args { type { ofType { ofType { name } } } } } }".repeat(30)
    );
    assert_eq!(refusal(&thrice), Excess::IntrospectionCost);
}

proptest! {
    #![proptest_config(Config { cases: 512, ..Config::default() })]

    #[test]
    fn no_text_breaks_the_lexer_or_what_follows(text in "[{}\\[\\]()\"#\\\\a$@:.!\n 1-]{0,80}") {
        prop_assume!(check_text(&text, &Limits::default()).is_ok());
        if let Ok(document) = parse_query(&text) {
            let (sizes, none) = (FieldSizes::default(), Variables::default());
            for (_, operation) in document.operations.iter() {
                let limits = Limits::default();
                if check_shape(&document, &sizes, &limits).is_ok() {
                    drop(measure(&document, &operation.node, &none, &sizes, &limits));
                }
            }
        }
    }
}

//! What this API relies on async-graphql for, stated as cases: nulls, paths, order, merging, and
//! what a refused or failed operation looks like. An upgrade of the framework is judged here.

use async_graphql::{
    EmptySubscription, Error, InputObject, Interface, MergedObject, Object, Schema, SimpleObject,
};
use serde_json::{Value, json};

use crate::{
    api::{Engine, GraphqlRequest, Outcome, execute_on},
    error::{ApiError, Code, Nullable},
    limits::Limits,
};

fn denied() -> ApiError {
    ApiError::new(Code::Forbidden, "Not allowed.").with("permission", "patient.read")
}

#[derive(Clone, SimpleObject)]
#[graphql(complex)]
struct Leaf {
    x: i32,
    y: i32,
}

#[async_graphql::ComplexObject]
impl Leaf {
    async fn denied(&self) -> Nullable<i32> {
        Some(Err(denied()))
    }
    async fn absent(&self) -> Nullable<i32> {
        None
    }
    async fn required(&self) -> Result<i32, ApiError> {
        Err(denied())
    }
    /// The shape to avoid, kept to notice when the framework repairs it.
    async fn wrong_shape(&self) -> Result<Option<i32>, ApiError> {
        Err(denied())
    }
    async fn slow(&self) -> i32 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        7
    }
    async fn some_denied(&self) -> Vec<Option<Result<i32, ApiError>>> {
        vec![Some(Ok(1)), Some(Err(denied())), None, Some(Ok(4))]
    }
    async fn leaves(&self) -> Vec<Leaf> {
        vec![self.clone(), self.clone()]
    }
    async fn maybe_leaves(&self) -> Vec<Option<Leaf>> {
        vec![Some(self.clone()), None]
    }
}

#[derive(Interface)]
#[graphql(field(name = "x", ty = "&i32"), field(name = "denied", ty = "Nullable<i32>"))]
enum Thing {
    Leaf(Leaf),
}

#[derive(Default)]
struct First;

fn leaf() -> Leaf {
    Leaf { x: 1, y: 2 }
}

#[Object]
impl First {
    async fn leaf(&self) -> Leaf {
        leaf()
    }
    async fn maybe_leaf(&self) -> Option<Leaf> {
        Some(leaf())
    }
    async fn thing(&self) -> Thing {
        Thing::Leaf(leaf())
    }
    async fn leaves(&self) -> Vec<Leaf> {
        vec![leaf(), leaf()]
    }
    async fn maybe_leaves(&self) -> Vec<Option<Leaf>> {
        vec![Some(leaf()), Some(leaf())]
    }
    async fn denied_leaf(&self) -> Nullable<Leaf> {
        Some(Err(denied()))
    }
}

#[derive(InputObject)]
struct Numbers {
    n: i32,
}

#[derive(Default)]
struct Second;

#[Object]
impl Second {
    async fn denied_root(&self) -> Nullable<i32> {
        Some(Err(denied()))
    }
    async fn required_root(&self) -> Result<i32, ApiError> {
        Err(denied())
    }
    async fn leak(&self) -> async_graphql::Result<i32> {
        Err(Error::from(std::io::Error::other("the secret")))
    }
    async fn leak_text(&self) -> async_graphql::Result<i32> {
        Err(Error::new("the secret"))
    }
    async fn wrapped(&self) -> Result<i32, ApiError> {
        Err(ApiError::internal(std::io::Error::other("the secret")))
    }
    async fn echo(&self, numbers: Numbers) -> i32 {
        numbers.n
    }
    async fn letter(&self, letter: char) -> String {
        letter.to_string()
    }
}

#[derive(MergedObject, Default)]
struct Query(First, Second);

struct Mutation;

#[Object]
impl Mutation {
    async fn leaf_create(&self) -> Leaf {
        leaf()
    }
    async fn leaf_refuse(&self) -> Nullable<Leaf> {
        Some(Err(denied()))
    }
}

async fn run(request: GraphqlRequest) -> Outcome {
    let schema = || Schema::build(Query::default(), Mutation, EmptySubscription);
    let (engine, _) = Engine::new(schema, Limits::default()).expect("the schema can be read");
    let request = GraphqlRequest { request_id: "r1".into(), ..request };
    execute_on(&engine, (), request).await
}

async fn outcome(query: &str) -> Outcome {
    run(GraphqlRequest { query: Some(query.into()), ..GraphqlRequest::default() }).await
}

/// The text of `data` (its order matters) and the errors.
async fn executed(query: &str) -> (String, Vec<Value>) {
    let Outcome::Executed { body, .. } = outcome(query).await else {
        unreachable!("{query} was refused");
    };
    let body = String::from_utf8(body).expect("text");
    let answer: Value = serde_json::from_str(&body).expect("JSON");
    let data = body.split_once("\"data\":").map(|(_, data)| data).expect("data");
    let data = data.rsplit_once(",\"extensions\":{\"cost\"").map(|(data, _)| data).expect("a cost");
    let errors = answer.get("errors").and_then(Value::as_array).cloned().unwrap_or_default();
    (data.to_owned(), errors)
}

async fn data(query: &str) -> String {
    executed(query).await.0
}

async fn refused(request: GraphqlRequest) -> (u16, bool, Vec<Value>) {
    match run(request).await {
        Outcome::Refused { status, allow_post, errors, .. } => (status, allow_post, errors),
        Outcome::Executed { body, .. } => unreachable!("{}", String::from_utf8_lossy(&body)),
    }
}

fn paths(errors: &[Value]) -> Vec<Value> {
    errors.iter().map(|error| error.get("path").cloned().unwrap_or_default()).collect()
}

#[tokio::test]
async fn a_denied_nullable_field_is_null_and_keeps_its_siblings() {
    let (data, errors) = executed("{ leaf { x denied y absent } }").await;
    assert_eq!(data, r#"{"leaf":{"x":1,"denied":null,"y":2,"absent":null}}"#);
    let expected = json!([{
        "message": "Not allowed.",
        "locations": [{ "line": 1, "column": 12 }],
        "path": ["leaf", "denied"],
        "extensions": {
            "code": "FORBIDDEN", "requestId": "r1", "retryable": false,
            "permission": "patient.read",
        },
    }]);
    assert_eq!(Value::from(errors), expected);
}

#[tokio::test]
async fn a_failed_required_field_takes_its_nearest_nullable_parent() {
    let (data, errors) = executed("{ maybeLeaf { x required } leaf { x } }").await;
    assert_eq!(data, r#"{"maybeLeaf":null,"leaf":{"x":1}}"#);
    assert_eq!(paths(&errors), [json!(["maybeLeaf", "required"])]);
    let (data, errors) = executed("{ leaf { x required } }").await;
    assert_eq!(data, "null");
    assert_eq!(paths(&errors), [json!(["leaf", "required"])]);
}

#[tokio::test]
async fn list_items_fail_alone() {
    let (data, errors) = executed("{ leaf { someDenied x } }").await;
    assert_eq!(data, r#"{"leaf":{"someDenied":[1,null,null,4],"x":1}}"#);
    assert_eq!(paths(&errors), [json!(["leaf", "someDenied", 1])]);
    let (data, errors) = executed("{ leaves { x denied } }").await;
    assert_eq!(data, r#"{"leaves":[{"x":1,"denied":null},{"x":1,"denied":null}]}"#);
    assert_eq!(paths(&errors), [json!(["leaves", 0, "denied"]), json!(["leaves", 1, "denied"])]);
    let (data, errors) = executed("{ maybeLeaves { x required } }").await;
    assert_eq!(data, r#"{"maybeLeaves":[null,null]}"#);
    assert_eq!(errors.len(), 2);
    let (data, _) = executed("{ leaf { leaves { maybeLeaves { denied x } } } }").await;
    assert_eq!(
        data,
        r#"{"leaf":{"leaves":[{"maybeLeaves":[{"denied":null,"x":1},null]},{"maybeLeaves":[{"denied":null,"x":1},null]}]}}"#
    );
}

#[tokio::test]
async fn interfaces_behave_like_objects() {
    let (data, errors) = executed("{ thing { __typename denied x ... on Leaf { y slow } } }").await;
    assert_eq!(data, r#"{"thing":{"__typename":"Leaf","denied":null,"x":1,"y":2,"slow":7}}"#);
    assert_eq!(paths(&errors), [json!(["thing", "denied"])]);
}

#[tokio::test]
async fn merged_roots_fail_like_any_object() {
    let (data, errors) = executed("{ leaf { x } deniedRoot deniedLeaf { x } }").await;
    assert_eq!(data, r#"{"leaf":{"x":1},"deniedRoot":null,"deniedLeaf":null}"#);
    assert_eq!(paths(&errors), [json!(["deniedRoot"]), json!(["deniedLeaf"])]);
    let (data, errors) = executed("{ leaf { x } requiredRoot }").await;
    assert_eq!(data, "null");
    assert_eq!(paths(&errors), [json!(["requiredRoot"])]);
    let (data, errors) =
        executed("mutation { a: leafCreate { x } leafRefuse { x } b: leafCreate { y } }").await;
    assert_eq!(data, r#"{"a":{"x":1},"leafRefuse":null,"b":{"y":2}}"#);
    assert_eq!(paths(&errors), [json!(["leafRefuse"])]);
}

#[tokio::test]
async fn keys_come_in_the_order_of_the_document() {
    let query = "{ leaf { slow x ...f y } } fragment f on Leaf { b: slow a: x }";
    assert_eq!(data(query).await, r#"{"leaf":{"slow":7,"x":1,"b":7,"a":1,"y":2}}"#);
}

#[tokio::test]
async fn selections_of_the_same_key_are_merged() {
    assert_eq!(data("{ leaf { x } leaf { y } }").await, r#"{"leaf":{"x":1,"y":2}}"#);
    assert_eq!(data("{ leaf { x x } leaf { x } }").await, r#"{"leaf":{"x":1}}"#);
    let query = "{ leaves { x } ...f } fragment f on Query { leaves { y } }";
    assert_eq!(data(query).await, r#"{"leaves":[{"x":1,"y":2},{"x":1,"y":2}]}"#);
    let query = "{ leaf { leaves { x } } leaf { leaves { y } } }";
    assert_eq!(data(query).await, r#"{"leaf":{"leaves":[{"x":1,"y":2},{"x":1,"y":2}]}}"#);
}

#[tokio::test]
async fn what_the_framework_still_does_wrong() {
    // An error of `Result<Option<T>>` destroys the object; hence `Nullable<T>`.
    assert_eq!(data("{ maybeLeaf { x wrongShape } }").await, r#"{"maybeLeaf":null}"#);
    // One of two merged selections failed: the whole should be null, in either order.
    assert_eq!(data("{ maybeLeaf { required } maybeLeaf { x } }").await, r#"{"maybeLeaf":null}"#);
    assert_eq!(data("{ maybeLeaf { x } maybeLeaf { required } }").await, r#"{"maybeLeaf":{"x":1}}"#);
    // Both are executed, so an error is told twice.
    assert_eq!(executed("{ leaf { denied } leaf { denied } }").await.1.len(), 2);
    // The path of an error in a list ends at the item that became null.
    let (_, errors) = executed("{ leaf { maybeLeaves { required } } }").await;
    assert_eq!(paths(&errors), [json!(["leaf", "maybeLeaves", 0, "required"])]);
    let (_, errors) = executed("{ leaves { required } }").await;
    assert_eq!(paths(&errors), [json!(["leaves", 0])]);
}

#[tokio::test]
async fn foreign_errors_are_masked() {
    for query in ["{ leak }", "{ leakText }", "{ wrapped }"] {
        let (data, errors) = executed(query).await;
        assert_eq!(data, "null");
        let text = Value::from(errors.clone()).to_string();
        assert!(!text.contains("secret"), "{text}");
        let error = errors.first().expect("an error");
        assert_eq!(error["message"], "Something went wrong on our side.");
        assert_eq!(error["extensions"]["code"], "INTERNAL");
        assert_eq!(error["extensions"]["requestId"], "r1");
    }
}

#[tokio::test]
async fn an_answer_holds_ten_errors_at_most() {
    let many: String = (0..15).map(|n| format!("a{n}: deniedRoot ")).collect();
    let (_, errors) = executed(&format!("{{ {many} }}")).await;
    assert_eq!(errors.len(), 10);
    let unknown: String = (0..15).map(|n| format!("u{n} ")).collect();
    let request = GraphqlRequest { query: Some(format!("{{ {unknown} }}")), ..Default::default() };
    assert_eq!(refused(request).await.2.len(), 10);
}

#[tokio::test]
async fn refusals_say_why() {
    let cases = [
        ("{", 400, "GRAPHQL_PARSE_FAILED"),
        ("", 400, "GRAPHQL_PARSE_FAILED"),
        ("{ leaf { x(a: \"\u{1F600}\" }", 400, "GRAPHQL_PARSE_FAILED"),
        ("{ leaf(a: 1e999) { x } }", 400, "GRAPHQL_PARSE_FAILED"),
        ("{ leaf(a: \"\\ud83d\\ude00\") { x } }", 400, "GRAPHQL_PARSE_FAILED"),
        ("{ nope }", 400, "GRAPHQL_VALIDATION_FAILED"),
        ("{ leaf }", 400, "GRAPHQL_VALIDATION_FAILED"),
        ("{ echo(numbers: { n: \"a\" }) }", 400, "GRAPHQL_VALIDATION_FAILED"),
        ("query a { __typename } query b { __typename }", 400, "BAD_USER_INPUT"),
        ("subscription { x }", 400, "GRAPHQL_VALIDATION_FAILED"),
        ("query($v: Int!) { echo(numbers: { n: $v }) }", 400, "BAD_USER_INPUT"),
        ("{ a: leafs { x } leaf { x } }", 400, "GRAPHQL_VALIDATION_FAILED"),
        ("{ ...f } fragment f on Query { ...f }", 400, "GRAPHQL_VALIDATION_FAILED"),
    ];
    for (query, status, code) in cases {
        let request = GraphqlRequest { query: Some(query.into()), ..Default::default() };
        let (found, _, errors) = refused(request).await;
        assert_eq!(found, status, "{query}");
        assert_eq!(errors[0]["extensions"]["code"], code, "{query}: {errors:?}");
        assert!(errors[0].get("path").is_none());
    }
    let refusal = |query: String| refused(GraphqlRequest { query: Some(query), ..Default::default() });
    let near_miss = Value::from(refusal("{ leafs { x } }".into()).await.2).to_string();
    assert!(!near_miss.contains("Did you mean"), "{near_miss}");
    let long = Value::from(refusal(format!("{{ {} }}", "x".repeat(100_000))).await.2).to_string();
    assert!(long.len() < 1_000);
}

#[tokio::test]
async fn refused_input_of_a_scalar_is_the_callers_error() {
    let (data, errors) = executed("{ letter(letter: \"Miller\") }").await;
    assert_eq!(data, "null");
    assert_eq!(errors[0]["extensions"]["code"], "BAD_USER_INPUT", "{errors:?}");
    assert!(!Value::from(errors).to_string().contains("Miller"));
}

#[tokio::test]
async fn only_reading_is_safe() {
    let mutation = |read_only| GraphqlRequest {
        query: Some("query q { leaf { x } } mutation m { leafCreate { x } }".into()),
        operation_name: Some("m".into()),
        read_only,
        ..Default::default()
    };
    let (status, allow_post, _) = refused(mutation(true)).await;
    assert_eq!((status, allow_post), (405, true));
    assert!(matches!(run(mutation(false)).await, Outcome::Executed { .. }));
    let query = GraphqlRequest { operation_name: Some("q".into()), ..mutation(true) };
    assert!(matches!(run(query).await, Outcome::Executed { .. }));
    let unknown = GraphqlRequest { operation_name: Some("x".into()), ..mutation(true) };
    assert_eq!(refused(unknown).await.0, 400);
}

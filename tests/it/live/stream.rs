//! GraphQL over SSE, in both modes.

use axum::body::BodyDataStream;

use super::*;

struct Stream {
    body: BodyDataStream,
    read: String,
}

impl Stream {
    /// The next event: its name and its data.
    async fn next(&mut self) -> (String, Value) {
        loop {
            if let Some((event, rest)) = self.read.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.read = rest;
                if event.starts_with(':') {
                    continue;
                }
                let (name, data) = event.split_once('\n').unwrap();
                let data = data.strip_prefix("data: ").or(data.strip_prefix("data:")).unwrap();
                let name = name.strip_prefix("event: ").unwrap().to_owned();
                return (name, serde_json::from_str(data).unwrap_or_default());
            }
            let chunk = timeout(Duration::from_secs(20), self.body.next()).await.unwrap().unwrap().unwrap();
            self.read.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

async fn ask(
    app: &App,
    person: &Person<'_>,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Value,
) -> axum::response::Response {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", HOST)
        .header("authorization", &person.bearer);
    if !body.is_null() {
        request = request.header("content-type", "application/json");
    }
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    app.router.clone().oneshot(request.body(body).unwrap()).await.unwrap()
}

const SSE: (&str, &str) = ("accept", "text/event-stream");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_gets_a_stream_of_its_own() -> Result<()> {
    let server = TestServer::new(&[("northside", "owner@praxis.test", "owner")]).await?;
    let owner = server.person("northside", "owner").await;
    let app = &server.app;
    for (path, births) in
        [("/graphql", ["1990-01-02", "1991-01-02"]), ("/graphql/stream", ["1992-01-02", "1993-01-02"])]
    {
        let query = json!({ "query": "subscription { events(limit: 2) { kind } }" });
        let response = ask(app, &owner, Method::POST, path, &[SSE], query).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream; charset=utf-8");
        let mut stream = Stream { body: response.into_body().into_data_stream(), read: String::new() };
        opened().await;
        for born in births {
            owner.register("Ada", "Quill", born).await;
            let (event, data) = stream.next().await;
            assert_eq!(
                (event.as_str(), &data["data"]["events"]["kind"]),
                ("next", &json!("PATIENT_REGISTERED"))
            );
        }
        assert_eq!(stream.next().await.0, "complete");
    }
    // Errors come as an answer; who is not signed in gets no stream at all.
    let response =
        ask(app, &owner, Method::POST, "/graphql", &[SSE], json!({ "query": "subscription { nope }" })).await;
    let mut stream = Stream { body: response.into_body().into_data_stream(), read: String::new() };
    assert_eq!(stream.next().await.1["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
    let nobody =
        server.post(HOST, "/graphql", &[SSE], json!({ "query": "subscription { events { id } }" })).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_operations_share_a_stream_that_was_reserved() -> Result<()> {
    let server = TestServer::new(&[("northside", "owner@praxis.test", "owner")]).await?;
    let (owner, desk) =
        (server.person("northside", "owner").await, server.person("northside", "receptionist").await);
    let app = &server.app;
    let response = ask(app, &owner, Method::PUT, "/graphql/stream", &[], Value::Null).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    let token = axum::body::to_bytes(response.into_body(), 100).await?;
    let token = std::str::from_utf8(&token)?;
    let held = ("x-graphql-event-stream-token", token);
    // Somebody else's token is none.
    let foreign = ask(app, &desk, Method::GET, "/graphql/stream", &[SSE, held], Value::Null).await;
    assert_eq!(foreign.status(), StatusCode::NOT_FOUND);
    let response = ask(app, &owner, Method::GET, "/graphql/stream", &[SSE, held], Value::Null).await;
    assert_eq!(response.status(), StatusCode::OK);
    let mut stream = Stream { body: response.into_body().into_data_stream(), read: String::new() };
    let twice = ask(app, &owner, Method::GET, "/graphql/stream", &[SSE, held], Value::Null).await;
    assert_eq!(twice.status(), StatusCode::CONFLICT);

    let begin = async |id: &str, query: &str| {
        let body = json!({ "query": query, "extensions": { "operationId": id } });
        ask(app, &owner, Method::POST, "/graphql/stream", &[held], body).await.status()
    };
    assert_eq!(begin("one", "{ __typename }").await, StatusCode::ACCEPTED);
    let answer = stream.next().await.1;
    assert_eq!(
        (&answer["id"], &answer["payload"]["data"]),
        (&json!("one"), &json!({ "__typename": "Query" }))
    );
    assert_eq!(stream.next().await, ("complete".to_owned(), json!({ "id": "one" })));
    assert_eq!(begin("two", "subscription { events { kind } }").await, StatusCode::ACCEPTED);
    assert_eq!(begin("two", "subscription { events { kind } }").await, StatusCode::BAD_REQUEST);
    opened().await;
    owner.register("Ada", "Quill", "1990-01-02").await;
    assert_eq!(stream.next().await.1["payload"]["data"]["events"]["kind"], "PATIENT_REGISTERED");
    let ended =
        ask(app, &owner, Method::DELETE, "/graphql/stream?operationId=two", &[held], Value::Null).await;
    assert_eq!(ended.status(), StatusCode::OK);
    assert_eq!(stream.next().await, ("complete".to_owned(), json!({ "id": "two" })));

    // With the stream the reservation goes.
    drop(stream);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(begin("three", "{ __typename }").await, StatusCode::NOT_FOUND);
    Ok(())
}

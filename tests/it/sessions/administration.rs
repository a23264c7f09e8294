//! People see and end sessions, their own and those they look after, and a clinic sets its limit.

use super::*;

impl TestServer {
    /// Asks as the holder of tokens; any error fails the test.
    async fn ask_as(&self, tokens: &Tokens, query: &str, variables: Value) -> Value {
        let bearer = format!("Bearer {}", tokens.access);
        let body = json!({ "query": query, "variables": variables });
        let answer = self.post(HOST, "/graphql", &[("authorization", &bearer)], body).await;
        assert!(answer.body["errors"].is_null(), "{}", answer.text);
        answer.body["data"].clone()
    }
}

#[tokio::test]
async fn people_see_their_sessions_and_end_them() -> Result<()> {
    let server = clinic().await?;
    let (here, there) = (server.person("northside", "owner").await, server.tokens().await);
    let mine = "{ viewer { sessions { id kind methods current endedAt userAgent } } }";
    let own = here.ask(mine, json!({})).await;
    let own = own["viewer"]["sessions"].as_array().unwrap();
    assert_eq!(own.len(), 1);
    assert_eq!(
        (&own[0]["current"], &own[0]["kind"], &own[0]["methods"]),
        (&json!(true), &json!("BEARER"), &json!(["PASSWORD"]))
    );

    // Ann's are hers, and whoever manages sessions sees and ends them.
    let ann = server.ask_as(&there, "{ viewer { id sessions { id current } } }", json!({})).await;
    let (user, session) = (&ann["viewer"]["id"], ann["viewer"]["sessions"][0]["id"].clone());
    let listed = here
        .ask("query($user: ID!) { userSessions(userId: $user) { id current } }", json!({ "user": user }))
        .await;
    assert_eq!(listed["userSessions"], json!([{ "id": session, "current": false }]));
    const END: &str = "mutation($input: SessionEndInput!) { sessionEnd(input: $input) { session { id endedAt } userErrors { code } } }";
    let foreign = server.ask_as(&there, END, json!({ "input": { "id": own[0]["id"] } })).await;
    assert_eq!(foreign["sessionEnd"]["userErrors"], json!([{ "code": "NOT_FOUND" }]));
    let key = [("idempotency-key", "once")];
    let ended = here.send(END, json!({ "input": { "id": session } }), &key).await;
    assert!(ended.body["data"]["sessionEnd"]["session"]["endedAt"].is_string(), "{}", ended.text);
    let again = here.send(END, json!({ "input": { "id": session } }), &key).await;
    assert_eq!(again.body["data"], ended.body["data"]);
    assert_eq!(server.knows(&there.access).await, StatusCode::UNAUTHORIZED);
    assert_eq!(server.refresh(&there.refresh, None).await.status, StatusCode::UNAUTHORIZED);

    // One's others go, oneself stays; no right is needed for that, but for other people's.
    let (first, second) = (server.tokens().await, server.tokens().await);
    const OTHERS: &str = "mutation($input: SessionEndOthersInput!) { sessionEndOthers(input: $input) { ended userErrors { code } } }";
    let own = server.ask_as(&second, OTHERS, json!({ "input": {} })).await;
    assert_eq!(own["sessionEndOthers"], json!({ "ended": 1, "userErrors": [] }));
    assert_eq!(server.knows(&first.access).await, StatusCode::UNAUTHORIZED);
    assert_eq!(server.knows(&second.access).await, StatusCode::OK);
    let viewer = here.ask("{ viewer { id } }", json!({})).await;
    let body = json!({ "query": OTHERS, "variables": { "input": { "userId": viewer["viewer"]["id"] } } });
    let bearer = format!("Bearer {}", second.access);
    let denied = server.post(HOST, "/graphql", &[("authorization", &bearer)], body).await;
    assert_eq!(denied.code(), "FORBIDDEN");
    assert_eq!(denied.body["errors"][0]["extensions"]["permission"], "session:manage");
    Ok(())
}

#[tokio::test]
async fn the_idle_limit_is_set_by_whoever_manages_settings() -> Result<()> {
    let server = clinic().await?;
    let owner = server.person("northside", "owner").await;
    let policy = "{ sessionPolicy { version idleMinutes absoluteMinutes } }";
    let before = owner.ask(policy, json!({})).await;
    assert_eq!(before["sessionPolicy"], json!({ "version": 0, "idleMinutes": 15, "absoluteMinutes": 720 }));
    let set = async |minutes: i32, version: i32| {
        let input = json!({ "idleMinutes": minutes, "ifVersion": version });
        owner
            .run("sessionPolicySet", "sessionPolicy { version idleMinutes } userErrors { code }", input)
            .await
    };
    for minutes in [4, 61, 0, -1] {
        assert_eq!(set(minutes, 0).await["userErrors"], json!([{ "code": "OUT_OF_RANGE" }]), "{minutes}");
    }
    assert_eq!(set(5, 0).await["sessionPolicy"], json!({ "version": 1, "idleMinutes": 5 }));
    assert_eq!(set(60, 0).await["userErrors"], json!([{ "code": "VERSION_CONFLICT" }]));
    assert_eq!(set(60, 1).await["sessionPolicy"], json!({ "version": 2, "idleMinutes": 60 }));
    Ok(())
}

//! Providers are added, changed and removed.

use super::*;

#[tokio::test]
async fn providers_are_changed_by_whoever_may_and_shows_a_second_factor() -> Result<()> {
    let (server, idp, provider) = linked().await?;
    let mut owner = Browser::new(&server);
    let answer = owner.post("/auth/session", json!({ "email": ANN, "password": PASSWORD })).await;
    assert_eq!(answer.status, StatusCode::OK);
    const CHANGE: &str = "mutation($input: IdentityProviderChangeInput!) { identityProviderChange(input: $input) { identityProvider { name version hasSecret active issuer } userErrors { code path } } }";
    let change =
        json!({ "query": CHANGE, "variables": { "input": { "id": provider, "ifVersion": 1, "name": "H" } } });
    assert_eq!(owner.post("/graphql", change).await.code(), "STEP_UP_REQUIRED");
    server.show_second_factor().await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let data = owner
        .ask(CHANGE, json!({ "id": provider, "ifVersion": 1, "clientSecret": null, "active": false }))
        .await;
    let changed = &data["identityProviderChange"]["identityProvider"];
    assert_eq!(
        (&changed["hasSecret"], &changed["active"], &changed["name"]),
        (&json!(false), &json!(false), &json!("Hospital"))
    );
    let data = owner.ask(CHANGE, json!({ "id": provider, "ifVersion": 1, "active": true })).await;
    assert_eq!(data["identityProviderChange"]["userErrors"][0]["code"], "VERSION_CONFLICT");
    // Nobody signs in there any more, even who had begun.
    let answer = Browser::new(&server).get(&format!("/auth/oidc/start?provider={provider}")).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(server.get(HOST, "/auth/providers", &[]).await.body["providers"], json!([]));
    let data = owner.ask(ADD, json!({ "name": "Again", "issuer": idp.issuer, "clientId": "praxis" })).await;
    assert_eq!(data["identityProviderAdd"]["userErrors"][0]["code"], "ALREADY_EXISTS");
    const REMOVE: &str = "mutation($input: IdentityProviderRemoveInput!) { identityProviderRemove(input: $input) { removedId userErrors { code } } }";
    let data = owner.ask(REMOVE, json!({ "id": provider, "ifVersion": 2 })).await;
    assert_eq!(data["identityProviderRemove"]["removedId"], json!(provider));
    let data = owner
        .ask("{ identityProviders { id } viewer { externalIdentities { providerName } } }", json!({}))
        .await;
    assert_eq!(data, json!({ "identityProviders": [], "viewer": { "externalIdentities": [] } }));
    Ok(())
}

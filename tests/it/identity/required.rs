//! A mailed link is one factor: where a role asks for two, it leads no further than a password does.

use super::*;

const ANN: &str = "ann@praxis.test";

async fn by_link(clinic: &Clinic) -> Result<Answer> {
    let asked = clinic.post("/auth/magic-link", json!({ "email": ANN })).await;
    let cookie = asked.headers["set-cookie"].to_str()?.split(';').next().unwrap_or_default().to_owned();
    let secret = clinic.arrived().await?[0].secret();
    let body = json!({ "token": secret, "session": "bearer" });
    Ok(clinic.server.post(HOST, "/auth/magic-link/confirm", &[("cookie", &cookie)], body).await)
}

#[tokio::test]
async fn a_mailed_link_does_not_stand_for_a_second_factor() -> Result<()> {
    let clinic = Clinic::new().await?;
    let server = &clinic.server;
    server.user("northside", ANN, "nurse").await?;
    let ask = async |bearer: &str, query: &str, variables: Value| {
        let body = json!({ "query": query, "variables": variables });
        server.post(HOST, "/graphql", &[("authorization", bearer)], body).await
    };
    let owner = server.proven("northside", "owner").await;
    let required = json!({ "role": "nurse", "required": true });
    let required = owner.run("roleRequireSecondFactor", "required userErrors { code }", required).await;
    assert_eq!(required, json!({ "required": true, "userErrors": [] }));

    // Nothing is enrolled yet: the session is good for that and nothing else.
    let entered = by_link(&clinic).await?;
    assert_eq!((entered.status, &entered.body["enrolmentRequired"]), (StatusCode::OK, &json!(true)));
    let bearer = format!("Bearer {}", entered.body["accessToken"].as_str().unwrap());
    let patients = "{ patients { totalCount } }";
    assert_eq!(ask(&bearer, patients, json!({})).await.code(), "SECOND_FACTOR_REQUIRED");
    let enrolled = ask(&bearer, "mutation { totpEnrol { secret } }", json!({})).await;
    let secret = enrolled.body["data"]["totpEnrol"]["secret"].as_str().unwrap().to_owned();
    let secret = TotpSecret(BASE32_NOPAD.decode(secret.as_bytes())?.try_into().unwrap());
    let code = || totp::code(&secret, server.clock.now().timestamp() / 30);
    let confirm = "mutation($code: String!) { totpConfirm(input: { code: $code }) { userErrors { code } } }";
    let confirmed = ask(&bearer, confirm, json!({ "code": code() })).await;
    assert_eq!(confirmed.body["data"]["totpConfirm"]["userErrors"], json!([]), "{}", confirmed.text);
    // They are told of it by mail.
    assert_eq!(clinic.arrived().await?.len(), 1);

    // From now on the link opens no session at all, but asks for the code.
    server.clock.advance(TimeDelta::minutes(2));
    let asked = by_link(&clinic).await?;
    assert_eq!((asked.status, asked.code()), (StatusCode::UNAUTHORIZED, "SECOND_FACTOR_REQUIRED"));
    assert!(asked.body["accessToken"].is_null(), "{}", asked.text);
    let wrong = json!({ "challenge": asked.body["challenge"], "totp": "000000" });
    assert_eq!(clinic.post("/auth/second-factor", wrong).await.status, StatusCode::UNAUTHORIZED);
    let shown = json!({ "challenge": asked.body["challenge"], "totp": code() });
    let entered = clinic.post("/auth/second-factor", shown).await;
    assert_eq!(entered.status, StatusCode::OK, "{}", entered.text);
    let bearer = format!("Bearer {}", entered.body["accessToken"].as_str().unwrap());
    assert!(ask(&bearer, patients, json!({})).await.body["errors"].is_null());
    assert_eq!(clinic.count("SELECT count(*) FROM session WHERE methods = '{link,otp}'").await?, 1);
    Ok(())
}

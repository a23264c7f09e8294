//! The same by clients that others wrote (`kits/subs-ws`, `kits/subs-sse`), where they are at hand.

use std::{env, path::PathBuf};

use tokio::process::Command;

use super::*;

const NAMES: &str = "const dns = require('dns'), lookup = dns.lookup;
dns.lookup = (host, ...rest) => lookup(host.endsWith('.localhost') ? '127.0.0.1' : host, ...rest);
";

async fn passes(kit: &str, scheme: &str, path: &str) -> Result<()> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/kits");
    let kits = env::var_os("PRAXIS_KITS").map_or(beside, PathBuf::from);
    let script = kits.join(kit).join("run.sh");
    if !script.exists() || !kits.join("node_modules").exists() {
        eprintln!("NOT TESTED: no kits/{kit} (with its node_modules) in {}; set PRAXIS_KITS", kits.display());
        return Ok(());
    }
    let server = TestServer::at("localhost", &[("northside", "owner@praxis.test", "owner")]).await?;
    let bearer = {
        let login =
            server.login("northside.localhost", "owner@praxis.test", crate::support::server::PASSWORD).await;
        format!("Bearer {}", login.body["accessToken"].as_str().unwrap())
    };
    let create = json!({ "query": crate::support::people::CREATE, "variables": { "input": {
        "name": { "given": ["Ada"], "family": "Quill" }, "birthDate": "1990-01-02" } } });
    for family in ["Quill", "Rill", "Sill", "Till"] {
        let mut create = create.clone();
        create["variables"]["input"]["name"]["family"] = family.into();
        let answer =
            server.post("northside.localhost", "/graphql", &[("authorization", &bearer)], create).await;
        assert_eq!(answer.body["data"]["patientCreate"]["userErrors"], json!([]), "{}", answer.text);
    }
    let mut runtime = server.installation.tenant_connection("northside").await?;
    let first: uuid::Uuid =
        sqlx::query_scalar("SELECT id FROM event ORDER BY id LIMIT 1").fetch_one(&mut runtime).await?;
    let after = praxis_entity::ids::EventId(first);
    let config = server.installation.config()?;
    let mut config = config;
    config.http.base_domain = "localhost".to_owned();
    let app = App::build_with_clock(config, std::sync::Arc::clone(&server.clock) as _).await?;
    let (address, _serving, stop) = serve(app).await?;
    let url = format!("{scheme}://northside.localhost:{}{path}", address.port());
    let subscription = format!("subscription{{events(afterEventId:\"{after}\",limit:3){{id kind}}}}");
    // Not every machine knows that all below localhost is itself.
    let names = env::temp_dir().join(format!("praxis-names-{}.cjs", address.port()));
    std::fs::write(&names, NAMES)?;
    let ran = Command::new("bash")
        .arg(script)
        .args([&url, &subscription])
        .env("KIT_AUTH", &bearer)
        .env("NODE_OPTIONS", format!("--require={}", names.display()))
        .output()
        .await?;
    std::fs::remove_file(&names)?;
    stop.cancel();
    let told = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{told}{}", String::from_utf8_lossy(&ran.stderr));
    eprintln!("{told}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_reference_client_of_sockets_is_content() -> Result<()> {
    passes("subs-ws", "ws", "/graphql").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_reference_client_of_event_streams_is_content() -> Result<()> {
    passes("subs-sse", "http", "/graphql/stream").await
}

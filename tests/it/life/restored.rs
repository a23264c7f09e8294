//! A clinic is exported while it works, and comes back equal: in its place, from nothing, or beside the live one.

use std::{fs, process::Stdio, time::Duration};

use anyhow::Result;
use data_encoding::HEXLOWER;
use praxis_platform::vault::crypto;
use serde_json::json;

use super::kit::{Life, family, sums};

#[tokio::test]
async fn a_destroyed_clinic_comes_back_equal() -> Result<()> {
    let life = Life::new().await?;
    let owner = life.server.person("northside", "owner").await;
    let patient = owner.register("Ann", "Zqequal", "1980-01-02").await;
    let file = life.file("northside.pxe");
    let exported = life.done(&["export", "northside", "--to", &file]);
    assert!(exported["rows"].as_u64().unwrap() > 100);
    let content = fs::read(&file)?;
    assert!(!content.windows(7).any(|window| window == b"Zqequal"));

    let schema = life.schema("northside").await?;
    life.sql(&format!("DROP SCHEMA {schema} CASCADE")).await?;
    let restored = life.done(&["restore", &file]);
    assert_eq!((&restored["placed"], &restored["auditVerified"]), (&json!("in_place"), &json!(true)));
    assert_eq!(restored["manifest"]["tables"], exported["tables"]);
    life.refresh().await?;
    assert_eq!(family(&owner, &patient).await, "Zqequal");
    let again = owner.register("Bob", "Zqafter", "1990-01-02").await;
    assert_eq!(family(&owner, &again).await, "Zqafter");
    assert_eq!(life.praxis(&["key", "verify", "--tenant", "northside"]).0, 0);
    assert_eq!(life.praxis(&["audit", "verify", "--tenant", "northside"]).0, 0);
    Ok(())
}

#[tokio::test]
async fn with_a_key_file_it_comes_back_to_an_installation_that_knows_nothing_of_it() -> Result<()> {
    let life = Life::new().await?;
    let owner = life.server.person("northside", "owner").await;
    let patient = owner.register("Ann", "Zqnothing", "1980-01-02").await;
    let (key, wrong) = (life.file("key"), life.file("wrong"));
    for file in [&key, &wrong] {
        fs::write(file, HEXLOWER.encode(&crypto::random::<32>()?))?;
    }
    life.done(&["domains", "northside", "add", "clinic.example", "--verified"]);
    life.sql(
        "INSERT INTO control.tenant_domain SELECT 'southside.praxis.test', id, now() FROM control.tenant",
    )
    .await?;
    let file = life.file("northside.pxe");
    let exported = life.done(&["export", "northside", "--to", &file, "--key-file", &key]);
    assert_eq!(exported["handedOut"], true);

    // Another installation, with another root key.
    let other = Life::new().await?;
    other.done(&["rename", "northside", "southside"]);
    other.server.installation.provision("northside").await?;
    assert_ne!(other.tenant(&["restore", &file]).0, 0, "it was sealed for the key file");
    assert_ne!(other.tenant(&["restore", &file, "--key-file", &wrong]).0, 0);
    assert!(other.tenant(&["restore", &file, "--key-file", &key]).2.contains("slug is taken"));
    assert_eq!(other.schemas().await?, 2, "nothing was left by what failed");
    // Both installations share a cluster here, and so the clinic's role, which elsewhere is made.
    let restored = other.done(&["restore", &file, "--key-file", &key, "--as", "eastside"]);
    assert_eq!((&restored["placed"], &restored["auditVerified"]), (&json!("new"), &json!(true)));
    // Another clinic's subdomain is none of its host names, and its own prove nothing here.
    assert_eq!(restored["domains"], json!(["clinic.example"]));
    let hosts = other.done(&["domains", "eastside", "list"]);
    assert_eq!(hosts, json!([{ "host": "clinic.example", "verified_at": null }]));
    other.refresh().await?;
    let login =
        other.server.login("eastside.praxis.test", "someone@praxis.test", crate::support::server::PASSWORD);
    assert_eq!(login.await.status, 200);
    let guest = other.server.enter("eastside", "someone@praxis.test").await;
    assert_eq!(family(&guest, &patient).await, "Zqnothing");
    let again = other.done(&["export", "eastside", "--to", &other.file("again.pxe")]);
    let changing = ["session", "refresh_token", "event", "job", "user_account", "factor_guard"];
    for (before, after) in sums(&exported).iter().zip(&sums(&again)) {
        let name = before["name"].as_str().unwrap();
        assert!(before == after || changing.contains(&name), "{before} {after}");
    }
    Ok(())
}

#[tokio::test]
async fn restored_beside_the_live_one_it_takes_its_place_and_gives_it_back() -> Result<()> {
    let life = Life::new().await?;
    let owner = life.server.person("northside", "owner").await;
    let old = owner.register("Ann", "Zqolder", "1980-01-02").await;
    let file = life.file("northside.pxe");
    life.done(&["export", "northside", "--to", &file]);
    let new = owner.register("Bob", "Zqnewer", "1990-01-02").await;

    let restored = life.done(&["restore", &file]);
    assert_eq!((&restored["placed"], &restored["isLive"]), (&json!("beside"), &json!(false)));
    assert_eq!(family(&owner, &new).await, "Zqnewer", "the live one goes on");
    assert!(life.tenant(&["swap", "northside"]).2.contains("suspend the tenant"));

    let found = async |name: &str| {
        let query = "query($search: String!) { patients(search: $search, first: 5) { nodes { id } } }";
        let answer = owner.send(query, json!({ "search": name }), &[]).await;
        answer.body["data"]["patients"]["nodes"].as_array().unwrap().len()
    };
    assert_eq!(found("Zqnewer").await, 1);
    for (older, newer) in [(json!("Zqolder"), json!(null)), (json!("Zqolder"), json!("Zqnewer"))] {
        life.done(&["suspend", "northside"]);
        assert_eq!(life.done(&["swap", "northside"])["auditVerified"], true);
        life.done(&["resume", "northside"]);
        life.refresh().await?;
        assert_eq!(found("Zqnewer").await, usize::from(newer.is_string()), "names are not remembered");
        assert_eq!((family(&owner, &old).await, family(&owner, &new).await), (older, newer));
        let third = owner.register("Cid", "Zqthird", "1970-05-06").await;
        assert_eq!(family(&owner, &third).await, "Zqthird", "what is live can be written to");
    }
    assert_eq!(life.tenant(&["discard", "northside"]).0, 7);
    assert_eq!(life.schemas().await?, 2);
    life.done(&["hold", "northside", "--reason", "case 17"]);
    assert!(life.tenant(&["discard", "northside", "--yes"]).2.contains("legal hold"));
    life.done(&["release", "northside"]);
    life.done(&["discard", "northside", "--yes"]);
    assert_eq!(life.schemas().await?, 1);
    assert_eq!(life.tenant(&["swap", "northside"]).0, 1);
    Ok(())
}

#[tokio::test]
async fn what_was_bent_or_cut_off_restores_nothing() -> Result<()> {
    let life = Life::new().await?;
    let file = life.file("northside.pxe");
    life.done(&["export", "northside", "--to", &file]);
    let whole = fs::read(&file)?;
    let bent = life.file("bent.pxe");
    for at in [0, 10, 120, whole.len() / 3, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&bent, &bytes)?;
        assert_eq!(life.tenant(&["restore", &bent]).0, 1, "byte {at} of {}", whole.len());
        fs::write(&bent, &whole[..at])?;
        assert_eq!(life.tenant(&["restore", &bent]).0, 1, "cut off at {at}");
    }
    fs::write(&bent, [&whole[..], b"more"].concat())?;
    assert_eq!(life.tenant(&["restore", &bent]).0, 1);
    assert_eq!(life.schemas().await?, 1);
    // The file was there already: it is not written over.
    assert_eq!(life.tenant(&["export", "northside", "--to", &file]).0, 1);
    assert_eq!(fs::read(&file)?, whole);
    Ok(())
}

#[tokio::test]
async fn killed_at_any_point_an_operation_leaves_nothing_half_made_and_is_taken_up() -> Result<()> {
    let life = Life::new().await?;
    let file = life.file("northside.pxe");
    let export = ["tenant", "export", "northside", "--to", &file, "--idempotency-key", "nightly"];
    let restore = ["tenant", "restore", &file, "--idempotency-key", "drill"];
    for (arguments, schemas) in [(&export[..], 1), (&restore[..], 2)] {
        for _ in 0..5 {
            let mut command = tokio::process::Command::from(life.server.installation.command());
            let mut child = command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
            let [noise] = crypto::random::<1>()?;
            let patience = Duration::from_millis(100 + 5 * u64::from(noise));
            if tokio::time::timeout(patience, child.wait()).await.is_err() {
                child.kill().await?;
            }
        }
        // The server of the one that was killed last may need a moment to notice.
        let (mut code, mut printed) = (5, json!(null));
        for _ in 0..50 {
            (code, printed, _) = life.praxis(arguments);
            if code != 5 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(code, 0);
        assert_eq!(life.praxis(arguments).1["export"], printed["export"], "it is done once");
        assert_eq!(life.schemas().await?, schemas);
    }
    let operations = life.done(&["operations", "northside"]);
    let states: Vec<_> = operations
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["kind"].clone(), one["state"].clone()))
        .collect();
    assert_eq!(states, [(json!("EXPORT"), json!("DONE")), (json!("RESTORE"), json!("DONE"))]);
    Ok(())
}

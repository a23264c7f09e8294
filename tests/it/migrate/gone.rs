//! A clinic whose schema is gone stands in nobody else's way.

use anyhow::Result;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor};

use crate::support::installation::TestInstallation;

#[tokio::test]
async fn a_clinic_without_its_schema_is_named_and_the_others_are_looked_at() -> Result<()> {
    let installation = TestInstallation::new().await?;
    let (gone, _) = (installation.provision("gone").await?, installation.provision("northside").await?);
    installation
        .admin()
        .await?
        .execute(AssertSqlSafe(format!("DROP SCHEMA {} CASCADE", gone.schema)))
        .await?;
    let run = |arguments: &[&str]| -> Result<(Option<i32>, String, String)> {
        let output = installation.command().args(arguments).output()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok((output.status.code(), text(&output.stdout), text(&output.stderr)))
    };
    let all: [&[&str]; 5] = [
        &["migrate", "drift"],
        &["migrate", "repair"],
        &["audit", "verify", "--all"],
        &["key", "verify"],
        &["key", "status"],
    ];
    for command in all {
        let (code, out, said) = run(command)?;
        assert_eq!(code, Some(4), "{command:?}: {out} {said}");
        assert!(said.contains("gone") && !out.contains("gone"), "{command:?}: {out} {said}");
        let _: Value = serde_json::from_str(&out)?;
        if command[0] != "migrate" {
            assert!(out.contains("northside"), "{command:?}: {out}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_clinic_that_is_not_there_is_a_wrong_call_whatever_is_asked_of_it() -> Result<()> {
    let installation = TestInstallation::new().await?;
    installation.provision("northside").await?;
    let all: [&[&str]; 8] = [
        &["tenant", "show", "nowhere"],
        &["tenant", "usage", "nowhere"],
        &["tenant", "limits", "nowhere", "--points", "5"],
        &["template", "plan", "--tenant", "nowhere"],
        &["audit", "verify", "--tenant", "nowhere"],
        &["key", "verify", "--tenant", "nowhere"],
        &["migrate", "drift", "--tenant", "nowhere"],
        &["migrate", "up", "--match", "nowhere*"],
    ];
    for command in all {
        let output = installation.command().args(command).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{command:?}: {said}");
        assert!(said.contains("nowhere"), "{command:?}: {said}");
    }
    Ok(())
}

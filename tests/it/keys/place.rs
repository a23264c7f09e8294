//! Where the root key is looked for.

use std::{env, fs, os::unix::fs::PermissionsExt};

use anyhow::Result;

use crate::support::installation::TestInstallation;

#[tokio::test]
async fn a_key_file_that_was_named_and_is_not_there_is_a_mistake_and_no_other_takes_its_place() -> Result<()>
{
    let installation = TestInstallation::new().await?;
    installation.provision("northside").await?;
    let folder = env::temp_dir().join(format!("praxis-key-{}", installation.clock.new_id()));
    fs::create_dir(&folder)?;
    let (known, named) = (folder.join("root.key"), folder.join("other.key"));
    fs::write(&known, installation.root_key())?;
    fs::set_permissions(&known, fs::Permissions::from_mode(0o600))?;
    let mut admin = installation.admin().await?;
    sqlx::query("UPDATE control.installation SET root_key_file = $1")
        .bind(known.to_str())
        .execute(&mut admin)
        .await?;
    let verify = |file: Option<&str>| -> Result<(bool, String)> {
        let mut command = installation.command();
        command.current_dir(&folder).env_remove("PRAXIS_ROOT_KEY").args([
            "key",
            "verify",
            "--tenant",
            "northside",
        ]);
        if let Some(file) = file {
            command.env("PRAXIS_ROOT_KEY_FILE", file);
        }
        let output = command.output()?;
        Ok((output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned()))
    };
    // Nobody says where it is: the installation remembers.
    assert!(verify(None)?.0);
    let (done, said) = verify(named.to_str())?;
    assert!(!done && said.contains("other.key"), "{said}");
    fs::rename(&known, &named)?;
    assert!(verify(named.to_str())?.0);
    fs::remove_dir_all(&folder)?;
    Ok(())
}

//! `praxis user`: people who sign in to a clinic, and the roles they hold.

use std::{
    fs,
    io::{self, Read},
    path::PathBuf,
};

use anyhow::{Context as _, Result};
use clap::Subcommand;
use praxis_domain::{
    clinic,
    identity::{self, NewUser},
};
use praxis_platform::{Op, vault::crypto};
use serde::Serialize;
use zeroize::Zeroizing;

use super::{Context, Exit, exit::Unusable, operator::operations};

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make an account; without a password given, one is made and printed once
    Create(Create),
    /// Give a user a role
    Grant(Grant),
    /// List the accounts of a clinic with their roles
    List {
        /// Subdomain of the clinic
        #[arg(long, value_name = "SLUG")]
        tenant: String,
    },
}

#[derive(Debug, clap::Args)]
struct Create {
    /// Subdomain of the clinic
    #[arg(long, value_name = "SLUG")]
    tenant: String,
    /// E-mail address, the login
    #[arg(long)]
    email: String,
    /// Name as shown
    #[arg(long)]
    name: String,
    /// A role to hold everywhere in the clinic; may be repeated
    #[arg(long = "role", value_name = "CODE")]
    roles: Vec<String>,
    /// Read the password from standard input
    #[arg(long, conflicts_with = "password_file")]
    password_stdin: bool,
    /// Read the password from a file
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct Grant {
    /// Subdomain of the clinic
    #[arg(long, value_name = "SLUG")]
    tenant: String,
    /// E-mail address of the user
    #[arg(long)]
    email: String,
    /// The role
    #[arg(long, value_name = "CODE")]
    role: String,
    /// Only at the branch of this code
    #[arg(long, value_name = "CODE")]
    facility: Option<String>,
}

#[derive(Serialize)]
struct Row {
    id: String,
    email: String,
    display_name: String,
    active: bool,
    roles: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<Exit> {
    match args.command {
        Command::Create(new) => create(new, context).await,
        Command::Grant(grant) => self::grant(grant, context).await,
        Command::List { tenant } => {
            let op = operations(context, &tenant).await?.read();
            let rows = rows(&op).await?;
            op.write_disclosures().await?;
            context.output.print_rows(&["email", "display_name", "active", "roles"], &rows)?;
            Ok(Exit::Done)
        }
    }
}

async fn create(new: Create, context: &Context) -> Result<Exit> {
    let given = given_password(&new)?;
    let (password, generated) = match given {
        Some(password) => (password, None),
        None => {
            let password = data_encoding::BASE32_NOPAD.encode(&crypto::random::<15>()?).to_ascii_lowercase();
            (Zeroizing::new(password.clone()), Some(password))
        }
    };
    let op = operations(context, &new.tenant).await?.write().await?;
    let user = NewUser {
        email: new.email,
        display_name: new.name,
        password: password.to_string(),
        practitioner: None,
    };
    let account = identity::create_user(&op, user).await?;
    for role in &new.roles {
        identity::grant_role(&op, account.id, role, None)
            .await
            .with_context(|| format!("role \"{role}\""))?;
    }
    op.commit().await?;
    let row = Row {
        id: account.id.to_string(),
        email: account.email,
        display_name: account.display_name,
        active: account.active,
        roles: new.roles,
        password: generated,
    };
    let columns = ["id", "email", "display_name", "roles", "password"];
    let shown = if row.password.is_some() {
        columns.as_slice()
    } else {
        columns.split_last().map_or(&[][..], |(_, rest)| rest)
    };
    context.output.print_one(shown, &row)?;
    Ok(Exit::Done)
}

async fn grant(grant: Grant, context: &Context) -> Result<Exit> {
    let op = operations(context, &grant.tenant).await?.write().await?;
    let email = grant.email.to_lowercase();
    let users = identity::users(&op).await?;
    let (user, _) = users
        .into_iter()
        .find(|(user, _)| user.email == email)
        .ok_or_else(|| Unusable(format!("nobody signs in as \"{email}\"")))?;
    let facility = match &grant.facility {
        None => None,
        Some(code) => {
            let found = clinic::facilities(&op).await?.into_iter().find(|facility| facility.code == *code);
            Some(found.ok_or_else(|| Unusable(format!("there is no branch \"{code}\"")))?.id)
        }
    };
    identity::grant_role(&op, user.id, &grant.role, facility).await?;
    let row = rows(&op).await?.into_iter().find(|row| row.email == email);
    op.commit().await?;
    context.output.print_one(&["id", "email", "display_name", "active", "roles"], &row)?;
    Ok(Exit::Done)
}

async fn rows<Mode>(op: &Op<Mode>) -> Result<Vec<Row>> {
    let users = identity::users(op).await?;
    Ok(users
        .into_iter()
        .map(|(user, roles)| Row {
            id: user.id.to_string(),
            email: user.email,
            display_name: user.display_name,
            active: user.active,
            roles,
            password: None,
        })
        .collect())
}

/// The password from where it was said to be; one line end behind it is not part of it.
fn given_password(new: &Create) -> Result<Option<Zeroizing<String>>> {
    let mut text = Zeroizing::new(String::new());
    if new.password_stdin {
        io::stdin().read_to_string(&mut text)?;
    } else if let Some(file) = &new.password_file {
        *text = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    } else {
        return Ok(None);
    }
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Some(Zeroizing::new(line.strip_suffix('\r').unwrap_or(line).to_owned())))
}

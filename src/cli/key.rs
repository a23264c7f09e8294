//! `praxis key`: which keys there are, whether they can be used, and newer ones in their place.
//!
//! Never a key itself. Clinics go on working meanwhile; whatever is interrupted is run again.

mod progress;
mod retire;
mod rotate;
mod status;
mod verify;

use std::collections::{BTreeSet, HashMap, hash_map::Entry};

use anyhow::{Result, ensure};
use clap::Subcommand;
use praxis_fleet::migrate::MigrateError;
use praxis_platform::{
    audit,
    rotation::{self, Clinic},
    tenancy::Cells,
};
use sqlx::postgres::PgConnection;

use self::progress::Progress;
use super::{Context, Exit, operator::operations, tenant::admin};
use crate::root_key::{self, RootKeys};

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the root key's name, and for each tenant its key versions and what is under older ones
    Status,
    /// Make new keys and bring everything under them; started again, it goes on where it was
    Rotate(rotate::Rotate),
    /// Bring under the newest keys whatever is not
    Rewrap(rotate::Rewrap),
    /// Open everything and name what can't be opened; exit with 3 if something is under older keys
    Verify(verify::Verify),
    /// Delete older keys that nothing needs any more
    Retire(retire::Retire),
}

/// Runs the command.
pub async fn run(args: Args, context: &Context) -> Result<Exit> {
    let (mut control, _) = admin(context).await?;
    let config = context.config()?;
    let keys = root_key::find(&config.keys, &mut control).await?;
    let hands = Hands {
        control,
        cells: config.database.cells()?,
        homes: HashMap::new(),
        away: BTreeSet::new(),
        lacking: false,
    };
    let mut session = Session { hands, keys, context, progress: Progress::new(context.output) };
    let exit = match args.command {
        Command::Status => status::run(&mut session).await,
        Command::Rotate(rotate) => rotate.run(&mut session).await,
        Command::Rewrap(rewrap) => rewrap.run(&mut session).await,
        Command::Verify(verify) => verify.run(&mut session).await,
        Command::Retire(retire) => retire.run(&mut session).await,
    }?;
    let is_all = exit != Exit::Done || session.hands.away.is_empty() && !session.hands.lacking;
    Ok(if is_all { exit } else { Exit::Partial })
}

/// What every command of this group needs.
struct Session<'a> {
    hands: Hands,
    keys: RootKeys,
    context: &'a Context,
    progress: Progress,
}

/// The operator's connections: to the control schema, and to the cells that hold clinics.
struct Hands {
    control: PgConnection,
    cells: Cells,
    homes: HashMap<String, PgConnection>,
    /// Cells whose clinics were left out.
    away: BTreeSet<String>,
    /// Whether a clinic was left out because there is no schema of it.
    lacking: bool,
}

impl Hands {
    /// The connections for a clinic: to the control schema and to the clinic's cell.
    async fn of(&mut self, clinic: &Clinic) -> Result<(&mut PgConnection, &mut PgConnection)> {
        let home = match self.homes.entry(clinic.cell.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(self.cells.connect(&clinic.cell).await?),
        };
        Ok((&mut self.control, home))
    }

    /// Whether a clinic's data can be reached; told where they can't be.
    async fn reach(&mut self, clinic: &Clinic) -> Result<bool> {
        if self.away.contains(&clinic.cell) {
            return Ok(false);
        }
        let reached = self.of(clinic).await.map(drop);
        if let Err(error) = &reached {
            tell(&format!(
                "the cell \"{}\" can't be reached, and its clinics are left out: {error:#}",
                clinic.cell
            ));
            self.away.insert(clinic.cell.clone());
            return Ok(false);
        }
        let (_, home) = self.of(clinic).await?;
        let find = "SELECT to_regnamespace($1) IS NOT NULL";
        let is_there: bool = sqlx::query_scalar(find).bind(clinic.schema.as_str()).fetch_one(home).await?;
        if !is_there {
            tell(&format!(
                "the schema of {} is not there, and it is left out: `praxis tenant restore` brings it back",
                clinic.slug
            ));
            self.lacking = true;
        }
        Ok(is_there)
    }
}

impl Session<'_> {
    /// The clinic of the slug, or all clinics whose cells can be reached.
    async fn clinics(&mut self, slug: Option<&str>) -> Result<Vec<Clinic>> {
        let clinics = rotation::clinics(&mut self.hands.control, slug).await?;
        if let Some(slug) = slug {
            ensure!(!clinics.is_empty(), MigrateError::UnknownTenant(slug.to_owned()));
            return Ok(clinics);
        }
        let mut reached = Vec::with_capacity(clinics.len());
        for clinic in clinics {
            if self.hands.reach(&clinic).await? {
                reached.push(clinic);
            }
        }
        Ok(reached)
    }

    /// Makes sure that no other command changes the root keys, until this one ends; says so if one does.
    async fn change_root_keys(&mut self) -> Result<bool> {
        let alone = rotation::turn::changing(&mut self.hands.control).await?;
        if !alone {
            tell("another command is changing the root keys: run this one again when it has ended");
        }
        Ok(alone)
    }

    /// Writes into the clinic's audit log what the operator did to its keys.
    async fn record(&self, clinic: &Clinic, action: &'static str) -> Result<()> {
        let op = operations(self.context, &clinic.slug).await?.write_always().await?;
        op.record(audit::Entry::done(action));
        Ok(op.commit().await?)
    }
}

#[expect(clippy::print_stderr, reason = "stderr is where a command says what it did not do")]
fn tell(what: &str) {
    eprintln!("praxis: {what}");
}

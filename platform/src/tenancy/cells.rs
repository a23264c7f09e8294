//! The Postgres servers that hold clinics, by name, and how each is reached with the operator's rights.
//!
//! `main` is the one that the control schema is in. The others are named by the configuration, whose addresses are secrets
//! and therefore stand nowhere else: the control schema knows only which cell a clinic is in.

use std::{collections::BTreeMap, fmt, str::FromStr, sync::Arc};

use sea_orm::DbErr;
use sqlx::{
    ConnectOptions,
    postgres::{PgConnectOptions, PgConnection},
};

use super::pool::connection_error;

/// The cell that the control schema is in.
pub const MAIN: &str = "main";

/// Letters of a cell's name at the most.
const LONGEST_NAME: usize = 31;

/// The cells that this process knows the addresses of.
#[derive(Clone)]
pub struct Cells(Arc<BTreeMap<String, String>>);

/// A cell that this process doesn't know the address of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the cell \"{0}\" is not configured: PRAXIS_CELLS does not name its address")]
pub struct CellUnknown(pub String);

/// Something that can't be a further cell. An address is never quoted: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCell {
    /// It is not written as a name and an address.
    #[error("a cell is written as name=postgres://…, and they are separated by blanks")]
    Malformed,
    /// The name has another shape.
    #[error("\"{0}\" is no name of a cell: up to 31 of a-z, 0-9 and hyphens, a letter first")]
    Name(String),
    /// The name is that of the control database.
    #[error("`main` is always the database of DATABASE_URL")]
    Main,
    /// The name comes twice.
    #[error("the cell \"{0}\" is named twice")]
    Twice(String),
    /// The address is none.
    #[error("what is given for the cell \"{0}\" is not an address of a Postgres database")]
    Address(String),
}

impl Cells {
    /// An installation that is all in one database.
    pub fn main(database_url: &str) -> Self {
        Self(Arc::new(BTreeMap::from([(MAIN.to_owned(), database_url.to_owned())])))
    }

    /// The same with further cells, as the configuration names them: `east=postgres://… west=postgres://…`.
    pub fn with_further(database_url: &str, further: &str) -> Result<Self, Vec<InvalidCell>> {
        let mut cells = BTreeMap::from([(MAIN.to_owned(), database_url.to_owned())]);
        let mut problems = Vec::new();
        // A list in a file comes separated by commas.
        for given in further.split(|c: char| c.is_whitespace() || c == ',').filter(|given| !given.is_empty())
        {
            match read(given) {
                Ok((name, _)) if cells.contains_key(name) => {
                    problems.push(InvalidCell::Twice(name.to_owned()))
                }
                Ok((name, address)) => _ = cells.insert(name.to_owned(), address.to_owned()),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() { Ok(Self(Arc::new(cells))) } else { Err(problems) }
    }

    /// The names, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The names of those besides the control database.
    pub fn further(&self) -> impl Iterator<Item = &str> {
        self.names().filter(|name| *name != MAIN)
    }

    /// Whether the address of a cell is known.
    pub fn knows(&self, cell: &str) -> bool {
        self.0.contains_key(cell)
    }

    /// The address of a cell.
    pub fn address(&self, cell: &str) -> Result<&str, CellUnknown> {
        self.0.get(cell).map(String::as_str).ok_or_else(|| CellUnknown(cell.to_owned()))
    }

    /// The address of the control database.
    pub fn control(&self) -> &str {
        self.0.get(MAIN).map_or("", String::as_str)
    }

    /// How a cell is reached. Texts of statements never reach the log: they may carry what they must not.
    pub fn home(&self, cell: &str) -> Result<PgConnectOptions, sqlx::Error> {
        Ok(PgConnectOptions::from_str(self.address(cell)?)?.disable_statement_logging())
    }

    /// Connects to a cell with the operator's own rights: for migrations and the CLI, never for requests.
    pub async fn connect(&self, cell: &str) -> Result<PgConnection, sqlx::Error> {
        self.home(cell)?.connect().await
    }
}

/// Whether a cell may be called so.
pub fn is_cell_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn read(given: &str) -> Result<(&str, &str), InvalidCell> {
    let (name, address) = given.split_once('=').ok_or(InvalidCell::Malformed)?;
    // Who forgot the name wrote an address, whose parameters have the first equals sign.
    if name.contains("://") {
        return Err(InvalidCell::Malformed);
    }
    if name == MAIN {
        return Err(InvalidCell::Main);
    }
    if !is_cell_name(name) {
        return Err(InvalidCell::Name(name.escape_debug().to_string()));
    }
    match address.parse::<PgConnectOptions>() {
        Ok(_) => Ok((name, address)),
        Err(_) => Err(InvalidCell::Address(name.to_owned())),
    }
}

/// Addresses stay hidden.
impl fmt::Debug for Cells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

impl From<&str> for Cells {
    fn from(database_url: &str) -> Self {
        Self::main(database_url)
    }
}

impl From<&String> for Cells {
    fn from(database_url: &String) -> Self {
        Self::main(database_url)
    }
}

impl From<&Self> for Cells {
    fn from(cells: &Self) -> Self {
        cells.clone()
    }
}

impl From<CellUnknown> for sqlx::Error {
    fn from(unknown: CellUnknown) -> Self {
        Self::Configuration(Box::new(unknown))
    }
}

impl From<CellUnknown> for DbErr {
    fn from(unknown: CellUnknown) -> Self {
        connection_error(unknown.into())
    }
}

impl CellUnknown {
    /// The cell that an error is about, if it says that one is not configured.
    pub fn of(error: &sqlx::Error) -> Option<&Self> {
        match error {
            sqlx::Error::Configuration(error) => error.downcast_ref(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "postgres://ann:s3cret@db/praxis";

    #[test]
    fn cells_are_named_with_their_addresses() {
        let text = "east=postgres://ann:s3cret@east/praxis?sslmode=disable\n west-2=postgres://west/praxis";
        let cells = Cells::with_further(HERE, text).unwrap();
        assert_eq!(cells.names().collect::<Vec<_>>(), ["east", "main", "west-2"]);
        assert_eq!(cells.further().collect::<Vec<_>>(), ["east", "west-2"]);
        assert_eq!(cells.address("east").unwrap(), "postgres://ann:s3cret@east/praxis?sslmode=disable");
        assert_eq!(cells.control(), HERE);
        assert_eq!(cells.address("north"), Err(CellUnknown("north".to_owned())));
        assert!(!format!("{cells:?}").contains("s3cret"));
        assert_eq!(
            Cells::with_further(HERE, "a=postgres://a/x,b=postgres://b/x").unwrap().names().count(),
            3
        );
        assert_eq!(Cells::with_further(HERE, "").unwrap().names().collect::<Vec<_>>(), [MAIN]);
    }

    #[test]
    fn all_that_is_wrong_is_told_and_no_address() {
        let text = "main=postgres://a/x East=postgres://a/x 1st=postgres://a/x postgres://s3cret?a=b nothing \
            east=postgres://a/x east=postgres://b/x west=s3cret";
        let problems = Cells::with_further(HERE, text).unwrap_err();
        assert_eq!(
            problems,
            [
                InvalidCell::Main,
                InvalidCell::Name("East".to_owned()),
                InvalidCell::Name("1st".to_owned()),
                InvalidCell::Malformed,
                InvalidCell::Malformed,
                InvalidCell::Twice("east".to_owned()),
                InvalidCell::Address("west".to_owned()),
            ]
        );
        assert!(problems.iter().all(|problem| !problem.to_string().contains("s3cret")));
        assert!(!is_cell_name(&"a".repeat(32)) && is_cell_name(&"a".repeat(31)) && !is_cell_name(""));
    }
}

//! How long a statement may take: as long as whoever waits for it can wait.
//!
//! One limit for all would be too long for a person at a screen, or too short for a job that goes through a year. The
//! class of a statement follows from where its operation comes from ([`crate::OpFactory`]), so no caller chooses, and
//! none forgets. Connections are opened in the class of requests; another is set with the message that binds them.

use std::time::Duration;

/// Who waits for a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatementClass {
    /// A person or program that sent a request.
    Interactive,
    /// Nobody: jobs, mails, rounds, sealing.
    Background,
    /// An operator at the command line, who can wait and can interrupt.
    Operator,
}

/// How long a statement of each class may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatementTimes {
    /// Of a request.
    pub interactive: Duration,
    /// Of work in the background.
    pub background: Duration,
    /// Of operators' work.
    pub operator: Duration,
}

impl StatementTimes {
    /// The limit of a class.
    pub fn of(&self, class: StatementClass) -> Duration {
        match class {
            StatementClass::Interactive => self.interactive,
            StatementClass::Background => self.background,
            StatementClass::Operator => self.operator,
        }
    }
}

impl Default for StatementTimes {
    fn default() -> Self {
        Self {
            interactive: Duration::from_secs(5),
            background: Duration::from_secs(20),
            operator: Duration::from_mins(10),
        }
    }
}

//! What an operator may do.

use std::{collections::BTreeSet, fmt, str::FromStr};

/// Something that an operator may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// Look at the installation.
    Read,
    /// Make clinics and change them, in ways that can be taken back.
    Manage,
    /// Put clinics under legal hold, and release them.
    Hold,
    /// What can't be taken back: archive, discard, shred.
    Destroy,
}

impl Right {
    /// Every right.
    pub const ALL: [Self; 4] = [Self::Read, Self::Manage, Self::Hold, Self::Destroy];

    /// The stored form.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Read => "READ",
            Self::Manage => "MANAGE",
            Self::Hold => "HOLD",
            Self::Destroy => "DESTROY",
        }
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Right {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|right| right.code().eq_ignore_ascii_case(text));
        known.ok_or("expected read, manage, hold or destroy")
    }
}

/// All that an operator may do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rights(BTreeSet<Right>);

impl Rights {
    /// Whether this is among them.
    pub fn hold(&self, right: Right) -> bool {
        self.0.contains(&right)
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Right> {
        self.0.iter().copied()
    }

    /// As they are stored.
    pub fn codes(&self) -> Vec<&'static str> {
        self.iter().map(Right::code).collect()
    }

    /// With these, and without those.
    #[must_use]
    pub fn changed(mut self, given: &[Right], taken: &[Right]) -> Self {
        self.0.extend(given);
        self.0.retain(|right| !taken.contains(right));
        self
    }
}

impl FromIterator<Right> for Rights {
    fn from_iter<I: IntoIterator<Item = Right>>(rights: I) -> Self {
        Self(rights.into_iter().collect())
    }
}

/// A right that this build does not know is none that it could grant.
impl From<Vec<String>> for Rights {
    fn from(codes: Vec<String>) -> Self {
        codes.iter().filter_map(|code| code.parse().ok()).collect()
    }
}

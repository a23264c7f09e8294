//! Who may read which field: declared once per coordinate, denied where nothing is declared.
//!
//! Each domain lists its coordinates beside its types. The list is compiled into one table, printed
//! into the schema as `@auth` and `@phi`, and asked by [`crate::context`] for every operation and by
//! [`crate::phi`] for every sealed value. A test walks the schema and fails where a field has no rule.

use std::{collections::HashMap, sync::LazyLock};

use praxis_platform::access::{Actor, FieldPolicies, Permission};

/// What protected health information a field carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PhiCategory {
    /// A person's name.
    Name,
    /// How a person is reached.
    Contact,
    /// A number that an authority or the clinic gave.
    GovernmentId,
    /// Birth date.
    BirthDate,
    /// What ails a person and what is done about it.
    Clinical,
    /// Words somebody wrote.
    FreeText,
}

impl PhiCategory {
    /// The name in the schema.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "NAME",
            Self::Contact => "CONTACT",
            Self::GovernmentId => "GOVERNMENT_ID",
            Self::BirthDate => "BIRTH_DATE",
            Self::Clinical => "CLINICAL",
            Self::FreeText => "FREE_TEXT",
        }
    }
}

/// How sensitive a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sensitivity {
    /// As all health data.
    Normal,
    /// More than that.
    Restricted,
}

/// What a field asks of its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing: it says nothing about anybody.
    Public,
    /// To be signed in.
    SignedIn,
    /// A permission.
    Needs(Permission),
    /// What the field asked that this value was reached through.
    Inherited,
}

/// The rule of some fields of one type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    pub(crate) type_name: &'static str,
    pub(crate) fields: &'static [&'static str],
    pub(crate) access: Access,
    pub(crate) phi: Option<(PhiCategory, Sensitivity)>,
}

/// Fields that ask for a permission.
pub(crate) const fn needs(
    type_name: &'static str,
    permission: Permission,
    fields: &'static [&'static str],
) -> Rule {
    Rule { type_name, fields, access: Access::Needs(permission), phi: None }
}

/// Sealed fields that ask for a permission.
pub(crate) const fn phi(
    type_name: &'static str,
    permission: Permission,
    category: PhiCategory,
    fields: &'static [&'static str],
) -> Rule {
    Rule { type_name, fields, access: Access::Needs(permission), phi: Some((category, Sensitivity::Normal)) }
}

/// Fields of a value: as free as the field that holds the value.
pub(crate) const fn inherited(type_name: &'static str, fields: &'static [&'static str]) -> Rule {
    Rule { type_name, fields, access: Access::Inherited, phi: None }
}

/// Fields with another access.
pub(crate) const fn open(type_name: &'static str, access: Access, fields: &'static [&'static str]) -> Rule {
    Rule { type_name, fields, access, phi: None }
}

/// All rules, domain by domain.
fn rules() -> impl Iterator<Item = &'static Rule> {
    [
        crate::break_glass::POLICY,
        crate::charting::POLICY,
        crate::clinic::POLICY,
        crate::encounters::POLICY,
        crate::history::POLICY,
        crate::identity::POLICY,
        crate::node::POLICY,
        crate::page::POLICY,
        crate::patients::POLICY,
        crate::payload::POLICY,
        crate::redaction::POLICY,
        crate::scheduling::POLICY,
        crate::staff::POLICY,
        crate::value::POLICY,
        crate::viewer::POLICY,
    ]
    .into_iter()
    .flatten()
}

static TABLE: LazyLock<HashMap<String, &'static Rule>> = LazyLock::new(|| {
    rules()
        .flat_map(|rule| rule.fields.iter().map(move |field| (format!("{}.{field}", rule.type_name), rule)))
        .collect()
});

/// The rule of a coordinate.
pub(crate) fn rule(coordinate: &str) -> Option<&'static Rule> {
    TABLE.get(coordinate).copied()
}

/// Coordinates of a type that ask for a permission, with their fields, in the order declared.
pub(crate) fn guarded(type_name: &'static str) -> impl Iterator<Item = (&'static str, Permission)> {
    rules().filter(move |rule| rule.type_name == type_name).flat_map(|rule| {
        let permission = match rule.access {
            Access::Needs(permission) => Some(permission),
            _ => None,
        };
        rule.fields.iter().filter_map(move |&field| Some((field, permission?)))
    })
}

/// A field of the schema and its rule.
#[derive(Debug, Clone)]
pub struct Coordinate {
    /// `Type.field`.
    pub name: String,
    /// What it asks of its reader.
    pub access: Access,
    /// What protected health information it carries.
    pub phi: Option<(PhiCategory, Sensitivity)>,
}

/// Every coordinate that has a rule, for documentation and tests.
pub fn coordinates() -> Vec<Coordinate> {
    let mut all: Vec<_> = TABLE
        .iter()
        .map(|(name, rule)| Coordinate { name: name.clone(), access: rule.access, phi: rule.phi })
        .collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// Why a coordinate is closed to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    /// Nobody has signed in.
    SignIn,
    /// This permission is missing.
    Lacks(Permission),
    /// No rule opens it to anybody.
    NoRule,
}

/// Decides whether the actor may use a coordinate. What has no rule is closed.
pub(crate) fn check(coordinate: &str, actor: &Actor, clinic: &FieldPolicies) -> Result<(), Denied> {
    let rule = rule(coordinate).ok_or(Denied::NoRule)?;
    match rule.access {
        Access::Public | Access::Inherited => {}
        Access::SignedIn if actor.is_known() => {}
        Access::SignedIn => return Err(Denied::SignIn),
        Access::Needs(_) if !actor.is_known() => return Err(Denied::SignIn),
        Access::Needs(permission) if actor.may(permission) => {}
        Access::Needs(permission) => return Err(Denied::Lacks(permission)),
    }
    // A clinic can only ask for more, never for less.
    for extra in clinic.extra(coordinate) {
        match extra.permission {
            Some(permission) if actor.may(permission) => {}
            Some(permission) => return Err(Denied::Lacks(permission)),
            None => return Err(Denied::NoRule),
        }
    }
    Ok(())
}

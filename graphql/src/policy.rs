//! Who may read which field: declared once per coordinate, denied where nothing is declared.
//!
//! Each domain lists its coordinates beside its types. The list is compiled into one table, printed
//! into the schema as `@auth` and `@phi`, and asked by [`crate::context`] for every operation and by
//! [`crate::phi`] for every sealed value. A test walks the schema and fails where a field has no rule.

use std::{collections::HashMap, sync::LazyLock};

use praxis_platform::access::{Actor, Extra, FieldPolicies, Permission, class::ON_RECORD};

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
    /// To be signed in, even if a role asks for a second factor that was not shown yet: that is how
    /// one is enrolled.
    Enrolling,
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
        crate::alerts::POLICY,
        crate::audit::POLICY,
        crate::break_glass::POLICY,
        crate::care_team::POLICY,
        crate::chart::POLICY,
        crate::charting::POLICY,
        crate::clinic::POLICY,
        crate::consent::POLICY,
        crate::documents::POLICY,
        crate::consultation::POLICY,
        crate::encounters::POLICY,
        crate::field_policies::POLICY,
        crate::history::POLICY,
        crate::identity::POLICY,
        crate::live::POLICY,
        crate::node::POLICY,
        crate::notifications::POLICY,
        crate::operations::POLICY,
        crate::page::POLICY,
        crate::patients::POLICY,
        crate::payload::POLICY,
        crate::redaction::POLICY,
        crate::roles::POLICY,
        crate::rules::POLICY,
        crate::scheduling::POLICY,
        crate::sensitivity::POLICY,
        crate::sign_in::POLICY,
        crate::second_factors::POLICY,
        crate::staff::POLICY,
        crate::statistics::POLICY,
        crate::tasks::POLICY,
        crate::value::POLICY,
        crate::viewer::POLICY,
        crate::workflows::POLICY,
    ]
    .into_iter()
    .flatten()
}

/// A coordinate and its rule, looked up once for each place in the code that names it.
#[derive(Debug)]
pub(crate) struct At {
    pub(crate) name: String,
    /// `None` where nobody declared a rule: closed.
    pub(crate) access: Option<Access>,
    pub(crate) phi: Option<(PhiCategory, Sensitivity)>,
    mark: u64,
}

impl At {
    fn new(name: String, access: Option<Access>, phi: Option<(PhiCategory, Sensitivity)>) -> Self {
        Self { mark: FieldPolicies::mark(&name), name, access, phi }
    }

    /// The coordinate with this name.
    pub(crate) fn of(name: &str) -> &'static Self {
        static UNKNOWN: LazyLock<At> = LazyLock::new(|| At::new("unknown".to_owned(), None, None));
        find(name).unwrap_or(&UNKNOWN)
    }

    /// The permission it asks for.
    pub(crate) fn permission(&self) -> Option<Permission> {
        match self.access {
            Some(Access::Needs(permission)) => Some(permission),
            _ => None,
        }
    }

    /// Whether the actor holds what a clinic asks for here in addition.
    ///
    /// Of a sealed field it is judged again for each row. Of any other it is not, and so has to hold for every
    /// patient: what a role gives at one branch, or an emergency of one patient, opens it for nobody.
    pub(crate) fn is_held(&self, actor: &Actor, asked: Permission) -> bool {
        let for_all = self.phi.is_none() && ON_RECORD.contains(asked);
        actor.may(asked) && (!for_all || actor.held_at(None).contains(asked))
    }

    /// What the clinic asks for in addition.
    pub(crate) fn extra<'c>(&self, clinic: &'c FieldPolicies) -> &'c [Extra] {
        if clinic.may_bind(self.mark) { clinic.extra(&self.name) } else { &[] }
    }
}

/// The coordinate of a field, looked up the first time only.
macro_rules! at {
    ($name:literal) => {{
        static AT: std::sync::LazyLock<&'static $crate::policy::At> =
            std::sync::LazyLock::new(|| $crate::policy::At::of($name));
        *AT
    }};
}
pub(crate) use at;

static TABLE: LazyLock<HashMap<String, At>> = LazyLock::new(|| {
    let at = |rule: &'static Rule, field: &str| {
        let name = format!("{}.{field}", rule.type_name);
        (name.clone(), At::new(name, Some(rule.access), rule.phi))
    };
    rules().flat_map(|rule| rule.fields.iter().map(move |field| at(rule, field))).collect()
});

/// The coordinate with this name, if somebody declared a rule for it.
pub(crate) fn find(coordinate: &str) -> Option<&'static At> {
    TABLE.get(coordinate)
}

/// Coordinates of a type that ask for a permission, with their fields, in the order declared.
pub(crate) fn guarded(type_name: &'static str) -> impl Iterator<Item = (&'static str, &'static At)> {
    rules().filter(move |rule| rule.type_name == type_name).flat_map(move |rule| {
        let guarded = matches!(rule.access, Access::Needs(_));
        let fields = rule.fields.iter().filter(move |_| guarded);
        fields.map(move |&field| (field, At::of(&format!("{type_name}.{field}"))))
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
        .filter_map(|(name, at)| Some(Coordinate { name: name.clone(), access: at.access?, phi: at.phi }))
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
    /// A second factor has to be shown first.
    SecondFactor,
    /// No rule opens it to anybody.
    NoRule,
}

/// Decides whether the actor may use a coordinate. What has no rule is closed.
///
/// Whether that holds for a patient or row, [`crate::subject`] says.
pub(crate) fn check(at: &At, actor: &Actor, clinic: &FieldPolicies) -> Result<(), Denied> {
    match at.access.ok_or(Denied::NoRule)? {
        Access::Public | Access::Inherited => {}
        Access::Enrolling if actor.is_known() => {}
        Access::SignedIn | Access::Needs(_) if actor.awaits_second_factor => {
            return Err(Denied::SecondFactor);
        }
        Access::SignedIn if actor.is_known() => {}
        Access::SignedIn | Access::Enrolling => return Err(Denied::SignIn),
        Access::Needs(_) if !actor.is_known() => return Err(Denied::SignIn),
        Access::Needs(permission) if actor.may(permission) => {}
        Access::Needs(permission) => return Err(Denied::Lacks(permission)),
    }
    // A clinic can only ask for more, never for less.
    for extra in at.extra(clinic) {
        match extra.permission {
            Some(permission) if at.is_held(actor, permission) => {}
            Some(permission) => return Err(Denied::Lacks(permission)),
            None => return Err(Denied::NoRule),
        }
    }
    Ok(())
}

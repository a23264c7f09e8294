//! The evaluator as SQL: the condition under which a row lets its reader do something.
//!
//! Lists, counts and searches add it to their own conditions, so they hold exactly the rows of which
//! [`super::Standing`] says the same; filters on a field add it for that field's permission. What does not depend
//! on the row is decided here, so the statement of somebody without conditions stays as short as can be.

use chrono::{DateTime, Utc};
use sea_orm::{Condition, Value, sea_query::Expr};
use uuid::Uuid;

use super::{
    Actor, ActorKind, Grant, Override, Permission, Relation,
    class::{CONTENT, RECORD, RecordClass},
};

/// A table whose rows belong to patients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Table {
    /// Patients.
    Patient,
    /// Persons around patients.
    RelatedPerson,
    /// Members of care teams.
    CareTeamMember,
    /// Directives of patients.
    ConsentDirective,
    /// Appointments.
    Appointment,
    /// Appointments that recur.
    AppointmentSeries,
    /// Entries of the waiting list.
    WaitlistEntry,
    /// Encounters.
    Encounter,
    /// Observations.
    Observation,
    /// Conditions.
    Condition,
    /// Tasks that concern a patient.
    Task,
    /// Alerts of rules.
    Alert,
    /// What rules found.
    RuleEvaluation,
    /// Clinical documents.
    ClinicalDocument,
    /// Allergies.
    Allergy,
    /// Medications as stated.
    MedicationStatement,
    /// Immunisations.
    Immunization,
    /// Procedures.
    Procedure,
    /// Family history.
    FamilyHistory,
    /// Social history.
    SocialHistory,
}

impl Table {
    /// The name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Patient => "patient",
            Self::RelatedPerson => "related_person",
            Self::CareTeamMember => "care_team_member",
            Self::ConsentDirective => "consent_directive",
            Self::Appointment => "appointment",
            Self::AppointmentSeries => "appointment_series",
            Self::WaitlistEntry => "waitlist_entry",
            Self::Encounter => "encounter",
            Self::Observation => "observation",
            Self::Condition => "condition",
            Self::Task => "task",
            Self::Alert => "alert",
            Self::RuleEvaluation => "rule_evaluation",
            Self::ClinicalDocument => "clinical_document",
            Self::Allergy => "allergy",
            Self::MedicationStatement => "medication_statement",
            Self::Immunization => "immunization",
            Self::Procedure => "procedure",
            Self::FamilyHistory => "family_history",
            Self::SocialHistory => "social_history",
        }
    }

    fn patient(self) -> String {
        let column = if self == Self::Patient { "id" } else { "patient_id" };
        format!(r#""{}"."{column}""#, self.name())
    }

    fn practitioner(self) -> Option<String> {
        let column = match self {
            Self::Appointment
            | Self::AppointmentSeries
            | Self::Encounter
            | Self::ClinicalDocument
            | Self::Alert
            | Self::RuleEvaluation => "practitioner_id",
            Self::Observation => "performer_id",
            Self::Condition
            | Self::Allergy
            | Self::MedicationStatement
            | Self::Immunization
            | Self::Procedure
            | Self::FamilyHistory
            | Self::SocialHistory => "recorder_id",
            _ => return None,
        };
        Some(format!(r#""{}"."{column}""#, self.name()))
    }

    /// What of a row may carry a label: the row, its encounter, the document that it adds to, its patient.
    fn labelled(self) -> String {
        let patient = self.patient();
        let name = self.name();
        match self {
            Self::Appointment | Self::Encounter => format!(r#""{name}"."id", {patient}"#),
            Self::Observation
            | Self::Condition
            | Self::Task
            | Self::Alert
            | Self::RuleEvaluation
            | Self::Allergy
            | Self::MedicationStatement
            | Self::Immunization
            | Self::Procedure
            | Self::FamilyHistory
            | Self::SocialHistory => {
                format!(r#""{name}"."id", "{name}"."encounter_id", {patient}"#)
            }
            Self::ClinicalDocument => {
                format!(r#""{name}"."id", "{name}"."encounter_id", "{name}"."addendum_to", {patient}"#)
            }
            _ => patient,
        }
    }
}

/// Keeps a question from becoming a join. A page is the first rows by an index, and of these each is asked. As an
/// anti-join the planner takes it that next to no row is left, and so reads and sorts all rows of the patient.
const PROBED: &str = " OFFSET 0";

/// The condition under which a row of the table lets the actor do this.
pub fn permitted(actor: &Actor, permission: Permission, table: Table, now: DateTime<Utc>) -> Condition {
    if actor.kind != ActorKind::User {
        return if actor.may(permission) { Condition::all() } else { never() };
    }
    if !actor.may(permission) {
        return never();
    }
    let says = Says { actor, table, now };
    let ordinary = Condition::all()
        .add_option(says.granted(permission))
        .add_option(says.not_refused(permission))
        .add_option(says.not_withheld(permission));
    match says.opened(permission) {
        // Within one that all must hold, so that whoever adds to it narrows it.
        Some(opened) => Condition::all().add(Condition::any().add(ordinary).add(opened)),
        None => ordinary,
    }
}

/// The condition under which a relation holds between the actor and a row of the table, or emergency access that
/// opens the permission makes it unnecessary.
pub fn related(
    actor: &Actor,
    relation: Relation,
    permission: Permission,
    table: Table,
    now: DateTime<Utc>,
) -> Condition {
    if actor.kind != ActorKind::User {
        return Condition::all();
    }
    let says = Says { actor, table, now };
    Condition::all().add(Condition::any().add(says.holds(relation)).add_option(says.opened(permission)))
}

fn never() -> Condition {
    Condition::all().add(Expr::cust("false"))
}

struct Says<'a> {
    actor: &'a Actor,
    table: Table,
    now: DateTime<Utc>,
}

impl Says<'_> {
    /// Emergency access opens it; `None` where there is none.
    fn opened(&self, permission: Permission) -> Option<Expr> {
        let open = |over: &&Override| over.expires_at > self.now && over.permissions.contains(permission);
        let patients: Vec<Uuid> =
            self.actor.overrides.iter().filter(open).map(|over| over.patient.0).collect();
        let sql = format!("{} = ANY($1)", self.table.patient());
        (!patients.is_empty()).then(|| Expr::cust_with_values(sql, [Value::from(patients)]))
    }

    /// Some role permits it; `None` where that holds for every row.
    fn granted(&self, permission: Permission) -> Option<Condition> {
        let holding = self.actor.grants.iter().filter(|grant| grant.permissions.contains(permission));
        if holding.clone().any(Grant::is_unbound) {
            return None;
        }
        let any = holding.fold(Condition::any().add(Expr::cust("false")), |any, grant| {
            let at = grant.facility.map(|facility| self.is_at(facility.0));
            let related = grant.condition.map(|relation| self.holds(relation));
            any.add(Condition::all().add_option(at).add_option(related))
        });
        Some(any)
    }

    fn is_at(&self, facility: Uuid) -> Expr {
        let (name, patient) = (self.table.name(), self.table.patient());
        let known = format!(
            "EXISTS (SELECT FROM patient_facility k WHERE k.patient_id = {patient} AND k.facility_id = $1)"
        );
        let sql = match self.table {
            Table::Appointment | Table::AppointmentSeries => format!(r#""{name}"."facility_id" = $1"#),
            Table::Encounter => {
                format!(r#"("{name}"."facility_id" = $1 OR ("{name}"."facility_id" IS NULL AND {known}))"#)
            }
            _ => known,
        };
        Expr::cust_with_values(sql, [Value::from(facility)])
    }

    fn holds(&self, relation: Relation) -> Expr {
        match relation {
            Relation::Own => self.own(),
            Relation::CareTeam => self.care_team(),
            Relation::Facility => match self.actor.facility {
                Some(facility) => self.is_at(facility.0),
                None => Expr::cust("false"),
            },
            Relation::InCare => {
                let sql = match self.table {
                    Table::Patient => r#""patient"."status" = 'ACTIVE'"#.to_owned(),
                    table => format!(
                        "EXISTS (SELECT FROM patient p WHERE p.id = {} AND p.status = 'ACTIVE')",
                        table.patient()
                    ),
                };
                Expr::cust(sql)
            }
        }
    }

    fn own(&self) -> Expr {
        match (self.table.practitioner(), self.actor.practitioner) {
            // Tasks name no clinician.
            _ if self.table == Table::Task => Expr::cust("false"),
            (None, _) => self.care_team(),
            (Some(column), Some(practitioner)) => {
                // A row without a clinician is nobody's own: not unknown, but false.
                Expr::cust_with_values(
                    format!("coalesce({column} = $1, false)"),
                    [Value::from(practitioner.0)],
                )
            }
            (Some(_), None) => Expr::cust("false"),
        }
    }

    fn care_team(&self) -> Expr {
        let sql = format!(
            "EXISTS (SELECT FROM care_team_member m WHERE m.patient_id = {} AND (m.user_id = $1 OR m.practitioner_id = $2) \
             AND m.starts_at <= $3 AND (m.ends_at IS NULL OR m.ends_at > $3))",
            self.table.patient()
        );
        let user = self.actor.user.map(|user| user.0);
        let practitioner = self.actor.practitioner.map(|practitioner| practitioner.0);
        Expr::cust_with_values(sql, [Value::from(user), Value::from(practitioner), Value::from(self.now)])
    }

    /// No directive of the patient takes it away; `None` where none can.
    fn not_refused(&self, permission: Permission) -> Option<Expr> {
        let classes = RecordClass::of(permission);
        if classes.is_empty() {
            return None;
        }
        let speaks = |d: &str, roles: &str| {
            format!(
                "{d}.patient_id = {patient} AND {d}.class = ANY($1) AND {d}.revoked_at IS NULL \
                 AND {d}.starts_at <= $2 AND ({d}.ends_at IS NULL OR {d}.ends_at > $2) \
                 AND ({d}.scope = 'ANYONE' OR {d}.facility_id = ANY($3) OR {d}.role_code = ANY({roles}) OR {d}.user_id = $5)",
                patient = self.table.patient()
            )
        };
        let sql = format!(
            "NOT EXISTS (SELECT FROM consent_directive d WHERE d.decision = 'DENY' AND {} \
             AND NOT EXISTS (SELECT FROM consent_directive p WHERE p.decision = 'PERMIT' AND p.rank > d.rank AND {}){PROBED})",
            speaks("d", "$4"),
            // An exception for a role is not made for somebody who only looks through its eyes.
            speaks("p", if self.actor.view_as.is_some() { "'{}'::text[]" } else { "$4" })
        );
        let places: Vec<Uuid> = self.actor.places().map(|place| place.0).collect();
        let values = [
            Value::from(classes),
            Value::from(self.now),
            Value::from(places),
            Value::from(self.actor.roles.clone()),
            Value::from(self.actor.user.map(|user| user.0)),
        ];
        Some(Expr::cust_with_values(sql, values))
    }

    /// No label withholds it; `None` where none can.
    fn not_withheld(&self, permission: Permission) -> Option<Condition> {
        if !RECORD.contains(permission) {
            return None;
        }
        let restricted = Permission::PATIENT_RESTRICTED_READ;
        // `None` stands for a right that nobody has, `Some(None)` for one that holds for every row.
        let trusted = self.actor.may(restricted).then(|| self.granted(restricted));
        let mut all = Condition::all();
        if CONTENT.contains(permission) && !matches!(trusted, Some(None)) {
            all = all.add(
                Condition::any()
                    .add(self.unlabelled("R"))
                    .add(self.own())
                    .add_option(trusted.clone().flatten()),
            );
        }
        let mut known = Condition::any().add(self.unlabelled("V"));
        if let Some(trusted) = trusted {
            let cares = Condition::any().add(self.own()).add(self.care_team());
            known = known.add(Condition::all().add_option(trusted).add(cares));
        }
        Some(all.add(known))
    }

    fn unlabelled(&self, level: &'static str) -> Expr {
        Expr::cust(format!(
            "NOT EXISTS (SELECT FROM sensitivity_label l WHERE l.patient_id = {} AND l.object_id IN ({}) AND l.level = '{level}'{PROBED})",
            self.table.patient(),
            self.table.labelled()
        ))
    }
}

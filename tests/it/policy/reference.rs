//! The rule of access as one would read it out to somebody: one permission, one row, step by step. Slow, and plain
//! enough to be believed; what the product uses is compared with it.

use chrono::{DateTime, Utc};
use praxis_platform::access::{
    Actor, Directive, Facts, Grant, Permission, Relation, Row, Sensitivity, Whom,
    class::{CONTENT, RECORD},
};
use uuid::Uuid;

/// Whether the actor may do this with a row of the patient.
pub fn may(
    actor: &Actor,
    patient: Uuid,
    facts: &Facts,
    row: &Row,
    permission: Permission,
    now: DateTime<Utc>,
) -> bool {
    // Emergency access opens what some role of the actor permits somewhere, and nothing closes it.
    for over in &actor.overrides {
        let running = over.patient.0 == patient && over.expires_at > now;
        if running && over.permissions.contains(permission) && actor.may(permission) {
            return true;
        }
    }
    if !granted(actor, patient, facts, row, permission) {
        return false;
    }
    // Of all directives about this that speak of the actor, the most specific decides; of equals the one that denies.
    let mut decision: Option<(usize, bool)> = None;
    for directive in &facts.directives {
        if !directive.class.permissions().contains(permission) || !speaks_of(directive, actor) {
            continue;
        }
        let rank = rank(&directive.whom);
        decision = match decision {
            Some((other, _)) if other > rank => decision,
            Some((other, permit)) if other == rank => Some((rank, permit && directive.permit)),
            _ => Some((rank, directive.permit)),
        };
    }
    if let Some((_, false)) = decision {
        return false;
    }
    // Labels of the row, of its encounter, of the document that it adds to and of its patient.
    let trusted = granted(actor, patient, facts, row, Permission::PATIENT_RESTRICTED_READ);
    let own = own(actor, patient, facts, row);
    for (object, level) in &facts.labels {
        let hangs_on = [row.encounter, row.document];
        if *object != row.id && !hangs_on.contains(&Some(*object)) && *object != patient {
            continue;
        }
        let closed = match level {
            Sensitivity::Normal => false,
            Sensitivity::Restricted => CONTENT.contains(permission) && !trusted && !own,
            Sensitivity::VeryRestricted => {
                RECORD.contains(permission) && !(trusted && (own || facts.care_team))
            }
        };
        if closed {
            return false;
        }
    }
    true
}

fn granted(actor: &Actor, patient: Uuid, facts: &Facts, row: &Row, permission: Permission) -> bool {
    actor.grants.iter().any(|grant| {
        grant.permissions.contains(permission)
            && here(grant, facts, row)
            && match grant.condition {
                None => true,
                Some(Relation::Own) => own(actor, patient, facts, row),
                Some(Relation::CareTeam) => facts.care_team,
                Some(Relation::InCare) => facts.in_care,
                Some(Relation::Facility) => match actor.facility {
                    None => false,
                    Some(facility) => here(&Grant { facility: Some(facility), ..*grant }, facts, row),
                },
            }
    })
}

fn here(grant: &Grant, facts: &Facts, row: &Row) -> bool {
    match (grant.facility, row.facility) {
        (None, _) => true,
        (Some(bound), Some(place)) => bound == place,
        (Some(bound), None) => facts.known_at.contains(&bound),
    }
}

fn own(actor: &Actor, patient: Uuid, facts: &Facts, row: &Row) -> bool {
    if row.id == patient {
        facts.care_team
    } else {
        row.practitioner.is_some() && row.practitioner == actor.practitioner
    }
}

fn speaks_of(directive: &Directive, actor: &Actor) -> bool {
    match &directive.whom {
        Whom::Anyone => true,
        Whom::User(user) => actor.user == Some(*user),
        // An exception for a role is not made for somebody who only looks through its eyes.
        Whom::Role(code) => actor.roles.contains(code) && !(directive.permit && actor.view_as.is_some()),
        Whom::Facility(facility) => match actor.facility {
            Some(chosen) => chosen == *facility,
            None => actor.grants.iter().any(|grant| grant.facility == Some(*facility)),
        },
    }
}

fn rank(whom: &Whom) -> usize {
    match whom {
        Whom::Anyone => 0,
        Whom::Facility(_) => 1,
        Whom::Role(_) => 2,
        Whom::User(_) => 3,
    }
}

//! The opened record of a patient: to be checked, indexed, changed and sealed again.

use std::collections::BTreeMap;

use praxis_entity::{
    ids::PatientId,
    patient,
    value::{Contact, ContactPoint, ContactSystem, Identifiers, Identity, PhiClass, RecordNumber},
};
use praxis_platform::{
    Failure, Op, Write,
    vault::{DataKey, Place},
};
use sea_orm::ActiveValue::Set;
use serde_json::Value as Json;

/// All that is sealed of a patient.
#[derive(Clone, PartialEq)]
pub(super) struct Record {
    pub(super) number: RecordNumber,
    pub(super) identity: Identity,
    pub(super) contact: Contact,
    pub(super) identifiers: Identifiers,
}

/// Where what is sealed of a patient lives.
pub(super) fn place<M>(op: &Op<M>, patient: PatientId) -> Place {
    op.place("patient", patient.0, patient.0)
}

impl Record {
    /// Opens a record to change it; nobody gets to see it.
    pub(super) async fn open(op: &Op<Write>, key: &DataKey, row: &patient::Model) -> Result<Self, Failure> {
        let place = place(op, row.id);
        Ok(Self {
            number: op.open_unseen(key, &place, &row.record_number).await?,
            identity: op.open_unseen(key, &place, &row.identity).await?,
            contact: op.open_unseen(key, &place, &row.contact).await?,
            identifiers: op.open_unseen(key, &place, &row.identifiers).await?,
        })
    }

    /// Seals what differs from the record before into the row, all of it where there was none, and
    /// says which classes these are.
    pub(super) fn seal_changes(
        &self,
        op: &Op<Write>,
        key: &DataKey,
        before: Option<&Self>,
        row: &mut patient::ActiveModel,
        id: PatientId,
    ) -> Result<Vec<String>, Failure> {
        let place = place(op, id);
        let mut classes = Vec::new();
        macro_rules! seal {
            ($($part:ident => $column:ident: $class:ty;)*) => {$(
                if before.is_none_or(|before| before.$part != self.$part) {
                    row.$column = Set(op.seal(key, &place, &self.$part)?);
                    classes.push(<$class>::CLASS.to_owned());
                }
            )*};
        }
        seal! {
            number => record_number: RecordNumber;
            identity => identity: Identity;
            contact => contact: Contact;
            identifiers => identifiers: Identifiers;
        }
        Ok(classes)
    }

    /// The parts of these classes, as the audit log keeps them.
    pub(super) fn of_classes(&self, classes: &[String]) -> Result<BTreeMap<&'static str, Json>, Failure> {
        let unwritable = |error: serde_json::Error| Failure::Internal(error.to_string());
        let mut parts = BTreeMap::new();
        macro_rules! part {
            ($($part:ident: $class:ty;)*) => {$(
                if classes.iter().any(|class| class == <$class>::CLASS) {
                    parts.insert(<$class>::CLASS, serde_json::to_value(&self.$part).map_err(unwritable)?);
                }
            )*};
        }
        part! {
            number: RecordNumber;
            identity: Identity;
            contact: Contact;
            identifiers: Identifiers;
        }
        Ok(parts)
    }
}

/// The contact point to use first among its channel.
pub fn preferred(contact: &Contact, system: ContactSystem) -> Option<&ContactPoint> {
    let mut points = contact.points.iter().filter(|point| point.system == system);
    let first = points.clone().next();
    points.find(|point| point.preferred).or(first)
}

/// Puts a value in place of the preferred point of a channel, or takes that point away.
pub(super) fn set_preferred(contact: &mut Contact, system: ContactSystem, value: Option<String>) {
    let position = preferred(contact, system)
        .and_then(|preferred| contact.points.iter().position(|point| std::ptr::eq(point, preferred)));
    match (position, value) {
        (Some(position), Some(value)) => {
            if let Some(point) = contact.points.get_mut(position) {
                point.value = value;
            }
        }
        (Some(position), None) => {
            contact.points.remove(position);
        }
        (None, Some(value)) => {
            contact.points.push(ContactPoint { system, value, usage: None, preferred: true })
        }
        (None, None) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(system: ContactSystem, value: &str, preferred: bool) -> ContactPoint {
        ContactPoint { system, value: value.to_owned(), usage: None, preferred }
    }

    #[test]
    fn the_preferred_point_is_changed_and_the_others_stay() {
        let mut contact = Contact {
            points: vec![
                point(ContactSystem::Phone, "1", false),
                point(ContactSystem::Email, "a@b.example", false),
                point(ContactSystem::Phone, "2", true),
            ],
            addresses: Vec::new(),
        };
        let phone =
            |contact: &Contact| preferred(contact, ContactSystem::Phone).map(|point| point.value.clone());
        assert_eq!(phone(&contact).as_deref(), Some("2"));
        set_preferred(&mut contact, ContactSystem::Phone, Some("3".to_owned()));
        assert_eq!(phone(&contact).as_deref(), Some("3"));
        set_preferred(&mut contact, ContactSystem::Phone, None);
        assert_eq!((phone(&contact).as_deref(), contact.points.len()), (Some("1"), 2));
        set_preferred(&mut contact, ContactSystem::Email, None);
        set_preferred(&mut contact, ContactSystem::Email, None);
        set_preferred(&mut contact, ContactSystem::Email, Some("c@d.example".to_owned()));
        assert_eq!(preferred(&contact, ContactSystem::Email).map(|point| point.preferred), Some(true));
    }
}

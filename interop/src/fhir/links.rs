//! What references of an input point to.

use std::collections::HashMap;

use uuid::Uuid;

use super::{
    name::{Names, meant},
    types::Reference,
};

/// A row here that a reference may point to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// FHIR type.
    pub(super) kind: String,
    /// The row.
    pub(super) id: Uuid,
    /// Whose it is; a patient is their own.
    pub(super) patient: Option<Uuid>,
}

/// Where a reference leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link<'a> {
    /// To this row.
    To(&'a Target),
    /// To a resource of the input that could not be taken in, or to more than one.
    Broken,
    /// Nowhere that is known.
    Unknown,
}

/// What is known of the names in an input.
#[derive(Debug, Default)]
pub(super) struct Links {
    /// `None` for what failed or is not unique.
    targets: HashMap<String, Option<Target>>,
}

impl Links {
    /// Adds what a name stands for. A name of two things stands for none of them.
    pub(super) fn add(&mut self, name: &str, target: Option<&Target>) {
        let known = self.targets.entry(name.to_owned()).or_insert_with(|| target.cloned());
        if known.as_ref() != target {
            *known = None;
        }
    }

    /// Adds all names of a resource.
    pub(super) fn add_all(&mut self, names: &Names, target: Option<&Target>) {
        for name in &names.all {
            self.add(name, target);
        }
    }

    /// True when something was said about the name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.targets.contains_key(name)
    }

    /// What a name stands for, if it stands for one thing.
    pub(super) fn of(&self, name: &str) -> Option<&Target> {
        self.targets.get(name)?.as_ref()
    }

    /// Follows a reference to a resource of a kind.
    pub(super) fn follow(&self, reference: &Reference, kind: &str, base: Option<&str>) -> Link<'_> {
        for name in meant(reference, kind, base) {
            match self.targets.get(&name) {
                Some(Some(target)) if target.kind == kind => return Link::To(target),
                Some(None) => return Link::Broken,
                Some(Some(_)) | None => {}
            }
        }
        Link::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(id: u128) -> Target {
        Target { kind: "Patient".to_owned(), id: Uuid::from_u128(id), patient: None }
    }

    #[test]
    fn a_name_of_two_people_leads_to_neither() {
        let to = |text: &str| Reference { reference: Some(text.to_owned()), identifier: None, display: None };
        let mut links = Links::default();
        links.add("Patient/1", Some(&target(1)));
        links.add("Patient/1", Some(&target(1)));
        assert_eq!(links.follow(&to("Patient/1"), "Patient", None), Link::To(&target(1)));
        assert_eq!(links.follow(&to("Patient/1"), "Encounter", None), Link::Unknown);
        links.add("Patient/1", Some(&target(2)));
        assert_eq!(links.follow(&to("Patient/1"), "Patient", None), Link::Broken);
        assert_eq!(links.follow(&to("Patient/2"), "Patient", None), Link::Unknown);
    }
}

//! One transaction of an import: actors first, then patients, visits, and all that refers to them.

use std::collections::{HashMap, HashSet};

use praxis_domain::{charting, clinic, encounters, history, staff};
use praxis_entity::{
    encounter,
    ids::{EncounterId, PatientId},
    patient::PatientStatus,
};
use praxis_platform::{Failure, Op, OpFactory, Write, audit::Entry, vault::TenantKey};
use sea_orm::{EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::{
    links::{Links, Target},
    map::{self, Context},
    name::{Names, kind_of, meant},
    people::{self, Standing, Taken},
    report::Tally,
    source::{Invalid, Source},
    store::{self, Kept, Memory},
};

/// One resource of the input and where it stands.
pub(super) struct Item<'a> {
    pub(super) file: &'a str,
    pub(super) position: u64,
    pub(super) source: Source<'a>,
    pub(super) names: Names,
}

/// Takes in resources, all or none; those that are wrong are counted and left out.
///
/// The names of those that failed are added to `broken`: what refers to them must not go to somebody
/// else of the same name, in this batch or a later one.
pub(super) async fn take_in(
    factory: &OpFactory,
    source: &str,
    items: Vec<Item<'_>>,
    broken: &mut HashSet<String>,
) -> Result<Tally, Failure> {
    let op = factory.write().await?;
    store::one_at_a_time(&op).await?;
    let key = op.tenant_key().await?;
    let memory = Memory { key: &key, source };
    let (mut links, tally, kept) = (Links::default(), Tally::default(), Vec::new());
    broken.iter().for_each(|name| links.add(name, None));
    let mut batch = Batch { op: &op, key: &key, memory: &memory, links, broken, tally, kept };
    batch.run(items).await?;
    let Batch { tally, kept, .. } = batch;
    if kept.is_empty() {
        op.rollback().await?;
        return Ok(tally);
    }
    memory.remember(&op, &kept).await?;
    store::keep(&op, &kept).await?;
    let mut patients: Vec<Uuid> = kept.iter().filter_map(|kept| Some(kept.patient?.0)).collect();
    patients.sort_unstable();
    patients.dedup();
    op.record(Entry { patients, ..Entry::done("fhir.import") });
    op.commit().await?;
    Ok(tally)
}

struct Batch<'a> {
    op: &'a Op<Write>,
    key: &'a TenantKey,
    memory: &'a Memory<'a>,
    links: Links,
    broken: &'a mut HashSet<String>,
    tally: Tally,
    kept: Vec<Kept>,
}

impl Batch<'_> {
    async fn run(&mut self, items: Vec<Item<'_>>) -> Result<(), Failure> {
        let items = self.without_known(items).await?;
        self.look_up_references(&items).await?;
        let mut groups: [Vec<Item<'_>>; 7] = Default::default();
        for item in items {
            let group = match item.source.kind.as_str() {
                "Organization" => 0,
                "Practitioner" => 1,
                "Patient" => 2,
                "Encounter" => 3,
                "Condition" => 4,
                "Observation" => 5,
                _ => 6,
            };
            if let Some(group) = groups.get_mut(group) {
                group.push(item);
            }
        }
        let [organizations, practitioners, patients, encounters, conditions, observations, others] = groups;
        for item in organizations {
            self.organization(item).await?;
        }
        for item in practitioners {
            self.practitioner(item).await?;
        }
        for item in patients {
            self.patient(item).await?;
        }
        let (items, new) = self.mapped(encounters, map::encounter);
        let patients: Vec<PatientId> = new.iter().map(|new| new.patient).collect();
        let rows = if new.is_empty() {
            Vec::new()
        } else {
            encounters::record_many(self.op, new).await.map_err(unexpected)?
        };
        self.recorded(items, rows.iter().map(|row| row.id.0), &patients);
        let (items, new) = self.mapped(conditions, map::condition);
        let patients: Vec<PatientId> = new.iter().map(|new| new.patient).collect();
        let rows = if new.is_empty() {
            Vec::new()
        } else {
            history::record_many(self.op, new).await.map_err(unexpected)?
        };
        self.recorded(items, rows.iter().map(|row| row.id.0), &patients);
        let (items, new) = self.mapped(observations, map::observation);
        let patients: Vec<PatientId> = new.iter().map(|new| new.patient).collect();
        let rows = if new.is_empty() {
            Vec::new()
        } else {
            charting::record_many(self.op, new).await.map_err(unexpected)?
        };
        self.recorded(items, rows.iter().map(|row| row.id.0), &patients);
        for item in others {
            self.unmodelled(item);
        }
        Ok(())
    }

    /// Leaves out what was imported before, and what the input holds twice.
    async fn without_known<'i>(&mut self, items: Vec<Item<'i>>) -> Result<Vec<Item<'i>>, Failure> {
        let names: Vec<&str> = items.iter().map(|item| item.names.first.as_str()).collect();
        let known = self.memory.recall(self.op, &names).await?;
        self.learn(&known).await?;
        let mut seen = HashSet::new();
        let mut new = Vec::with_capacity(items.len());
        for mut item in items {
            match known.get(&item.names.first) {
                Some(id) => match self.check_known(&mut item, *id).await? {
                    Ok(()) => {
                        let target = self.links.of(&item.names.first).cloned();
                        self.links.add_all(&item.names, target.as_ref());
                        self.tally.unchanged(&item.source.kind);
                    }
                    Err(invalid) => self.fail(item, invalid),
                },
                None if seen.insert(item.names.first.clone()) => new.push(item),
                None => self.tally.unchanged(&item.source.kind),
            }
        }
        Ok(new)
    }

    /// A patient's id must still mean the same person: ids such as `1` are given by many systems.
    async fn check_known(&self, item: &mut Item<'_>, id: Uuid) -> Result<Result<(), Invalid>, Failure> {
        if item.source.kind != "Patient" {
            return Ok(Ok(()));
        }
        let Ok(person) = map::patient(&mut item.source) else { return Ok(Ok(())) };
        let standing = people::same(self.op, PatientId(id), &person.new.names, person.new.birth_date).await?;
        let reason = "was used by another source for another person; give this source a name of its own";
        Ok(if standing == Standing::Other { Err(Invalid::at("Patient.id", reason)) } else { Ok(()) })
    }

    /// Finds what the references of the items point to, as far as it is not among the items.
    async fn look_up_references(&mut self, items: &[Item<'_>]) -> Result<(), Failure> {
        let mut inside = HashSet::new();
        inside.extend(items.iter().flat_map(|item| item.names.all.iter().map(String::as_str)));
        let mut asked: Vec<String> = Vec::new();
        for item in items {
            for reference in map::references(&item.source) {
                for kind in ["Patient", "Encounter", "Practitioner", "Organization"] {
                    asked.extend(meant(&reference, kind, item.names.base.as_deref()));
                }
            }
        }
        asked.sort_unstable();
        asked.dedup();
        asked.retain(|name| {
            !inside.contains(name.as_str()) && !self.links.has(name) && kind_of(name).is_some()
        });
        let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
        if asked.is_empty() {
            return Ok(());
        }
        let mut found = store::actors(self.op, &asked).await?;
        found.extend(self.memory.recall(self.op, &asked).await?);
        self.learn(&found).await
    }

    /// Adds rows that were there before to what references may point to.
    async fn learn(&mut self, found: &HashMap<String, Uuid>) -> Result<(), Failure> {
        let of = |wanted: &str| -> Vec<Uuid> {
            found.iter().filter(|(name, _)| kind_of(name) == Some(wanted)).map(|(_, id)| *id).collect()
        };
        let statuses = match of("Patient") {
            ids if ids.is_empty() => Default::default(),
            ids => people::statuses(self.op, ids).await?,
        };
        let visits: HashMap<EncounterId, PatientId> = match of("Encounter") {
            ids if ids.is_empty() => Default::default(),
            ids => self.visits(ids).await?.into_iter().collect(),
        };
        for (name, id) in found {
            let Some(kind) = kind_of(name) else { continue };
            let patient = match kind {
                "Patient" => Some(*id),
                "Encounter" => visits.get(&EncounterId(*id)).map(|patient| patient.0),
                _ => None,
            };
            let closed = matches!(statuses.get(id), Some(PatientStatus::Merged | PatientStatus::Erased));
            let target = Target { kind: kind.to_owned(), id: *id, patient };
            self.links.add(name, (!closed).then_some(&target));
        }
        Ok(())
    }

    async fn visits(&self, ids: Vec<Uuid>) -> Result<Vec<(EncounterId, PatientId)>, Failure> {
        let rows = encounter::Entity::find()
            .select_only()
            .columns([encounter::Column::Id, encounter::Column::PatientId])
            .filter(praxis_domain::page::any_of(encounter::Column::Id, ids))
            .into_tuple()
            .all(self.op.db())
            .await?;
        Ok(rows)
    }

    async fn organization(&mut self, mut item: Item<'_>) -> Result<(), Failure> {
        let new = match map::organization(&mut item.source, &item.names) {
            Ok(new) => new,
            Err(invalid) => {
                self.fail(item, invalid);
                return Ok(());
            }
        };
        match clinic::upsert_organization(self.op, new).await {
            Ok((row, created)) => self.took(item, row.id.0, created, None),
            Err(error) => self.fail(item, people::violation("Organization", error)?),
        }
        Ok(())
    }

    async fn practitioner(&mut self, mut item: Item<'_>) -> Result<(), Failure> {
        let new = match map::practitioner(&mut item.source, &item.names) {
            Ok(new) => new,
            Err(invalid) => {
                self.fail(item, invalid);
                return Ok(());
            }
        };
        match staff::upsert_practitioner(self.op, new).await {
            Ok((row, created)) => self.took(item, row.id.0, created, None),
            Err(error) => self.fail(item, people::violation("Practitioner", error)?),
        }
        Ok(())
    }

    async fn patient(&mut self, mut item: Item<'_>) -> Result<(), Failure> {
        let person = match map::patient(&mut item.source) {
            Ok(person) => person,
            Err(invalid) => {
                self.fail(item, invalid);
                return Ok(());
            }
        };
        match people::take_in(self.op, self.key, person).await? {
            Ok(Taken::New(id)) => self.took(item, id.0, true, Some(id)),
            Ok(Taken::Known(id)) => self.took(item, id.0, false, Some(id)),
            Err(invalid) => self.fail(item, invalid),
        }
        Ok(())
    }

    /// What can be mapped of many resources of one type; the rest fails.
    fn mapped<'i, T>(
        &mut self,
        items: Vec<Item<'i>>,
        map: impl Fn(&mut Source<'_>, &Context<'_>) -> Result<T, Invalid>,
    ) -> (Vec<Item<'i>>, Vec<T>) {
        let (mut good, mut new) = (Vec::with_capacity(items.len()), Vec::with_capacity(items.len()));
        for mut item in items {
            let context = Context { links: &self.links, base: item.names.base.as_deref() };
            match map(&mut item.source, &context) {
                Ok(mapped) => {
                    good.push(item);
                    new.push(mapped);
                }
                Err(invalid) => self.fail(item, invalid),
            }
        }
        (good, new)
    }

    fn recorded(&mut self, items: Vec<Item<'_>>, ids: impl Iterator<Item = Uuid>, patients: &[PatientId]) {
        for ((item, id), patient) in items.into_iter().zip(ids).zip(patients) {
            self.took(item, id, true, Some(*patient));
        }
    }

    fn unmodelled(&mut self, item: Item<'_>) {
        let context = Context { links: &self.links, base: item.names.base.as_deref() };
        let patient = match map::owner(&item.source, &context) {
            Ok(patient) => patient,
            Err(invalid) => return self.fail(item, invalid),
        };
        self.tally.kept(&item.source.kind);
        let local = self.op.new_id();
        let json = item.source.text.to_owned();
        self.kept.push(Kept {
            kind: item.source.kind,
            name: item.names.first,
            local,
            mapped: false,
            patient,
            json,
        });
    }

    /// Notes what a resource became, and keeps what its row does not hold. A patient who was known
    /// before is not changed, so the whole resource is kept.
    fn took(&mut self, item: Item<'_>, id: Uuid, created: bool, patient: Option<PatientId>) {
        let kind = item.source.kind.clone();
        if created {
            self.tally.created(&kind)
        } else {
            self.tally.unchanged(&kind)
        }
        let json = match kind.as_str() {
            "Patient" if !created => item.source.text.to_owned(),
            _ => item.source.residual(),
        };
        let target = Target { kind: kind.clone(), id, patient: patient.map(|patient| patient.0) };
        self.links.add_all(&item.names, Some(&target));
        self.kept.push(Kept { kind, name: item.names.first, local: id, mapped: true, patient, json });
    }

    fn fail(&mut self, item: Item<'_>, invalid: Invalid) {
        self.links.add_all(&item.names, None);
        self.broken.extend(item.names.all);
        self.tally.failed(&item.source.kind, item.file, item.position, invalid);
    }
}

/// All that a rule can refuse was checked before; what is refused all the same ends the batch.
fn unexpected(error: praxis_domain::Error) -> Failure {
    match error {
        praxis_domain::Error::Failure(failure) => failure,
        praxis_domain::Error::Violated(violations) => {
            let paths: Vec<String> = violations.iter().map(|violation| violation.path.join(".")).collect();
            Failure::Internal(format!("a checked resource was refused: {}", paths.join(", ")))
        }
    }
}

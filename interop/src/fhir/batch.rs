//! One transaction of an import: actors first, then patients, visits, and all that refers to them.

use std::collections::{BTreeMap, HashMap, HashSet};

use praxis_domain::{
    ViolationCode, charting, clinic, documents, encounters,
    history::{self, chapter::Statement},
    staff,
};
use praxis_entity::{
    allergy::{self, AllergyStatus},
    encounter,
    ids::{EncounterId, PatientId},
    immunization, medication_statement,
    patient::PatientStatus,
    procedure,
    value::CodeableConcept,
};
use praxis_platform::{Failure, Op, OpFactory, Write, audit::Entry, quota::Quota, vault::TenantKey};
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

/// What one batch hands on to those after it.
#[derive(Debug, Default)]
pub(super) struct Carried {
    /// The names of what failed: what refers to them must not go to somebody else of the same name.
    broken: HashSet<String>,
    /// What the medications of the input are, by their names; `None` for a name of two.
    medications: HashMap<String, Option<CodeableConcept>>,
}

/// Takes in resources, all or none; those that are wrong are counted and left out.
pub(super) async fn take_in(
    factory: &OpFactory,
    source: &str,
    items: Vec<Item<'_>>,
    carried: &mut Carried,
) -> Result<Tally, Failure> {
    let op = factory.write().await?;
    store::one_at_a_time(&op).await?;
    let key = op.tenant_key().await?;
    let memory = Memory { key: &key, source };
    let (mut links, tally, kept) = (Links::default(), Tally::default(), Vec::new());
    carried.broken.iter().for_each(|name| links.add(name, None));
    let mut batch = Batch { op: &op, key: &key, memory: &memory, links, carried, tally, kept };
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

/// A map of resources of one type.
type Map<T> = fn(&mut Source<'_>, &Context<'_>) -> Result<T, Invalid>;

struct Batch<'a> {
    op: &'a Op<Write>,
    key: &'a TenantKey,
    memory: &'a Memory<'a>,
    links: Links,
    carried: &'a mut Carried,
    tally: Tally,
    kept: Vec<Kept>,
}

impl Batch<'_> {
    async fn run(&mut self, items: Vec<Item<'_>>) -> Result<(), Failure> {
        self.learn_medications(&items);
        let items = self.without_known(items).await?;
        self.look_up_references(&items).await?;
        let mut of: BTreeMap<String, Vec<Item<'_>>> = BTreeMap::new();
        for item in items {
            of.entry(item.source.kind.clone()).or_default().push(item);
        }
        let mut take = |kind: &str| of.remove(kind).unwrap_or_default();
        for item in take("Organization") {
            self.organization(item).await?;
        }
        for item in take("Practitioner") {
            self.practitioner(item).await?;
        }
        for item in take("Patient") {
            self.patient(item).await?;
        }
        let visits = self.mapped(take("Encounter"), map::encounter, |new| new.patient);
        self.record(visits, encounters::record_many, |row| row.id.0).await?;
        let conditions = self.mapped(take("Condition"), map::condition, |new| new.patient);
        self.record(conditions, history::record_many, |row| row.id.0).await?;
        let observations = self.mapped(take("Observation"), map::observation, |new| new.patient);
        self.record(observations, charting::record_many, |row| row.id.0).await?;
        let allergies = self.mapped(take("AllergyIntolerance"), map::allergy, |new| new.patient);
        self.allergies(allergies).await?;
        for (kind, map) in
            [("MedicationRequest", map::request as Map<_>), ("MedicationStatement", map::statement)]
        {
            let medications = self.mapped(take(kind), map, |new| new.patient);
            let record = history::chapter::record_many::<medication_statement::Entity>;
            self.record(medications, record, |row| row.id.0).await?;
        }
        let immunizations = self.mapped(take("Immunization"), map::immunization, |new| new.patient);
        let record = history::chapter::record_many::<immunization::Entity>;
        self.record(immunizations, record, |row| row.id.0).await?;
        let procedures = self.mapped(take("Procedure"), map::procedure, |new| new.patient);
        let record = history::chapter::record_many::<procedure::Entity>;
        self.record(procedures, record, |row| row.id.0).await?;
        let (of_patients, of_others) = self.owned(take("DocumentReference"));
        let documents = self.mapped(of_patients, map::document, |new| new.patient);
        self.record(documents, documents::record_many, |row| row.id.0).await?;
        for item in of_others.into_iter().chain(of.into_values().flatten()) {
            self.unmodelled(item);
        }
        Ok(())
    }

    /// What medications are, also those that were imported before: requests refer to them.
    fn learn_medications(&mut self, items: &[Item<'_>]) {
        for item in items.iter().filter(|item| item.source.kind == "Medication") {
            let code = map::medication(&item.source);
            for name in &item.names.all {
                let known = self.carried.medications.entry(name.clone()).or_insert_with(|| code.clone());
                if *known != code {
                    *known = None;
                }
            }
        }
    }

    /// Tells what belongs to a patient, or says that it does, from what is nobody's.
    fn owned<'i>(&self, items: Vec<Item<'i>>) -> (Vec<Item<'i>>, Vec<Item<'i>>) {
        let context = |item: &Item<'i>| map::owner(&item.source, &self.context(item.names.base.as_deref()));
        items.into_iter().partition(|item| !matches!(context(item), Ok(None)))
    }

    fn context<'c>(&'c self, base: Option<&'c str>) -> Context<'c> {
        Context { links: &self.links, base, medications: &self.carried.medications }
    }

    /// Records allergies, but for what contradicts another: that there is none, and one that is present. The allergy
    /// goes before the finding that there is none. The finding that there is none of a kind is no allergy: it is kept as
    /// it came.
    async fn allergies(
        &mut self,
        allergies: Vec<(Item<'_>, PatientId, Statement<allergy::Entity>)>,
    ) -> Result<(), Failure> {
        let (none_of_a_kind, allergies): (Vec<_>, Vec<_>) =
            allergies.into_iter().partition(|(.., new)| history::is_none_of_a_kind(&new.clinical));
        for (item, ..) in none_of_a_kind {
            self.unmodelled(item);
        }
        let patients: Vec<PatientId> = allergies.iter().map(|(_, patient, _)| *patient).collect();
        if patients.is_empty() {
            return Ok(());
        }
        let mut present = history::present_allergies(self.op, &patients).await.map_err(unexpected)?;
        let (none, some): (Vec<_>, Vec<_>) = allergies.into_iter().partition(|(.., new)| {
            new.status == AllergyStatus::Active && history::is_none_known(&new.clinical)
        });
        let mut good = Vec::with_capacity(some.len());
        for (item, patient, new) in some {
            let found = present.entry(patient).or_default();
            if new.status == AllergyStatus::Active && found.none_known.is_some() {
                let invalid =
                    item.source.invalid("code", "contradicts the record that there is no known allergy");
                self.fail(item, invalid);
                continue;
            }
            found.any |= new.status == AllergyStatus::Active;
            good.push((item, patient, new));
        }
        let mut again = Vec::new();
        for (item, patient, new) in none {
            let found = present.entry(patient).or_default();
            if found.any {
                let invalid = item.source.invalid("code", "contradicts an allergy that is present");
                self.fail(item, invalid);
            } else if let Some(known) = found.none_known {
                again.push((item, patient, known));
            } else {
                // The first of the input stands for all of it; its row has no id yet.
                let statement = vec![(item, patient, new)];
                let record = history::chapter::record_many::<allergy::Entity>;
                let ids = self.record(statement, record, |row| row.id.0).await?;
                found.none_known = ids.first().copied();
            }
        }
        self.record(good, history::chapter::record_many::<allergy::Entity>, |row| row.id.0).await?;
        for (item, patient, known) in again {
            self.took(item, known, false, Some(patient));
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

    /// What can be mapped of many resources of one type, with whose it is; the rest fails.
    fn mapped<'i, T>(
        &mut self,
        items: Vec<Item<'i>>,
        map: impl Fn(&mut Source<'_>, &Context<'_>) -> Result<T, Invalid>,
        patient: impl Fn(&T) -> PatientId,
    ) -> Vec<(Item<'i>, PatientId, T)> {
        let mut good = Vec::with_capacity(items.len());
        for mut item in items {
            let mapped = map(&mut item.source, &self.context(item.names.base.as_deref()));
            match mapped {
                Ok(mapped) => good.push((item, patient(&mapped), mapped)),
                Err(invalid) => self.fail(item, invalid),
            }
        }
        good
    }

    /// Records what was mapped, notes what each became, and gives the ids.
    async fn record<T, R>(
        &mut self,
        mapped: Vec<(Item<'_>, PatientId, T)>,
        record: impl AsyncFnOnce(&Op<Write>, Vec<T>) -> praxis_domain::Result<Vec<R>>,
        id: impl Fn(&R) -> Uuid,
    ) -> Result<Vec<Uuid>, Failure> {
        if mapped.is_empty() {
            return Ok(Vec::new());
        }
        let (mut items, mut new) = (Vec::with_capacity(mapped.len()), Vec::with_capacity(mapped.len()));
        for (item, patient, mapped) in mapped {
            items.push((item, patient));
            new.push(mapped);
        }
        let rows = record(self.op, new).await.map_err(unexpected)?;
        let ids: Vec<Uuid> = rows.iter().map(id).collect();
        for ((item, patient), id) in items.into_iter().zip(&ids) {
            self.took(item, *id, true, Some(patient));
        }
        Ok(ids)
    }

    fn unmodelled(&mut self, item: Item<'_>) {
        let patient = match map::owner(&item.source, &self.context(item.names.base.as_deref())) {
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
    /// before is not changed, nor is what was said already, so the whole resource is kept.
    fn took(&mut self, item: Item<'_>, id: Uuid, created: bool, patient: Option<PatientId>) {
        let kind = item.source.kind.clone();
        if created {
            self.tally.created(&kind)
        } else {
            self.tally.unchanged(&kind)
        }
        let json = match kind.as_str() {
            "Patient" | "AllergyIntolerance" if !created => item.source.text.to_owned(),
            _ => item.source.residual(),
        };
        let target = Target { kind: kind.clone(), id, patient: patient.map(|patient| patient.0) };
        self.links.add_all(&item.names, Some(&target));
        self.kept.push(Kept { kind, name: item.names.first, local: id, mapped: true, patient, json });
    }

    fn fail(&mut self, item: Item<'_>, invalid: Invalid) {
        self.links.add_all(&item.names, None);
        self.carried.broken.extend(item.names.all);
        self.tally.failed(&item.source.kind, item.file, item.position, invalid);
    }
}

/// All that a rule can refuse was checked before; what is refused all the same ends the batch.
fn unexpected(error: praxis_domain::Error) -> Failure {
    match error {
        praxis_domain::Error::Failure(failure) => failure,
        praxis_domain::Error::Violated(violations)
            if violations.iter().any(|violation| violation.code == ViolationCode::StorageExhausted) =>
        {
            Failure::Exhausted(Quota::Storage)
        }
        praxis_domain::Error::Violated(violations) => {
            let paths: Vec<String> = violations.iter().map(|violation| violation.path.join(".")).collect();
            Failure::Internal(format!("a checked resource was refused: {}", paths.join(", ")))
        }
    }
}

//! The compiled evaluator, the SQL and a naive reading of the rule agree.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

mod reference;

use std::{collections::HashSet, fmt::Write, sync::Arc, time::Instant};

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use praxis_entity::{
    appointment, clinical_document, condition, encounter,
    ids::{BreakGlassId, FacilityId, PatientId, PractitionerId, UserId},
    observation, patient,
};
use praxis_platform::{
    Op, OpFactory, Read, RequestInfo,
    access::{
        Actor, ActorKind, Directive, Facts, Grant, Override, Permission, PermissionSet, RecordClass,
        Relation, Row, Sensitivity, Standing, Table, Whom, class::ON_RECORD, permitted,
    },
};
use sea_orm::{EntityTrait, QueryFilter, QuerySelect};
use sqlx::{AssertSqlSafe, Executor};
use uuid::Uuid;

use crate::support::server::TestServer;

/// A stream of numbers: uneven, quick, and the same each time.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    /// True once in so many times.
    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn pick<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())].clone()
    }

    fn some<T: Clone>(&mut self, list: &[T]) -> Vec<T> {
        list.iter().filter(|_| self.once_in(2)).cloned().collect()
    }

    fn permissions(&mut self) -> PermissionSet {
        let mut set = PermissionSet::NONE;
        for permission in ON_RECORD.iter() {
            if self.once_in(2) {
                set.insert(permission);
            }
        }
        set
    }
}

fn id(kind: u128, number: usize) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 | kind << 32 | number as u128)
}

fn facilities() -> [FacilityId; 3] {
    [0, 1, 2].map(|number| FacilityId(id(1, number)))
}

fn practitioners() -> [PractitionerId; 3] {
    [0, 1, 2].map(|number| PractitionerId(id(2, number)))
}

fn users() -> [UserId; 3] {
    [0, 1, 2].map(|number| UserId(id(3, number)))
}

const ROLES: [&str; 3] = ["physician", "nurse", "receptionist"];

fn now() -> DateTime<Utc> {
    "2027-01-01T12:00:00Z".parse().unwrap()
}

fn actor(noise: &mut Noise, patients: &[PatientId]) -> Actor {
    let mut actor = Actor { kind: ActorKind::User, ..Actor::anonymous() };
    actor.user = Some(noise.pick(&users()));
    actor.practitioner = noise.once_in(2).then(|| noise.pick(&practitioners()));
    actor.roles = noise.some(&ROLES.map(str::to_owned));
    actor.facility = noise.once_in(3).then(|| noise.pick(&facilities()));
    actor.view_as = noise.once_in(6).then(|| "nurse".to_owned());
    actor.grants = (0..noise.below(4))
        .map(|_| Grant {
            permissions: noise.permissions(),
            facility: noise.once_in(2).then(|| noise.pick(&facilities())),
            condition: noise.once_in(3).then(|| noise.pick(&Relation::EVERY)),
        })
        .collect();
    actor.permissions =
        actor.grants.iter().fold(PermissionSet::NONE, |all, grant| all.union(grant.permissions));
    actor.overrides = (0..noise.below(8).saturating_sub(5))
        .map(|_| Override {
            id: BreakGlassId(id(9, 0)),
            patient: noise.pick(patients),
            permissions: noise.pick(&RecordClass::EVERY).permissions(),
            expires_at: now() + TimeDelta::minutes(if noise.once_in(3) { -1 } else { 1 }),
        })
        .collect();
    actor
}

fn directive(noise: &mut Noise) -> Directive {
    Directive {
        permit: noise.once_in(2),
        class: noise.pick(&RecordClass::EVERY),
        whom: match noise.below(4) {
            0 => Whom::Anyone,
            1 => Whom::Facility(noise.pick(&facilities())),
            2 => Whom::Role(noise.pick(&ROLES).to_owned()),
            _ => Whom::User(noise.pick(&users())),
        },
    }
}

fn level(noise: &mut Noise) -> Sensitivity {
    noise.pick(&[Sensitivity::Normal, Sensitivity::Restricted, Sensitivity::VeryRestricted])
}

/// How many cases the test makes of itself; more on request.
fn wanted(variable: &str, usual: usize) -> usize {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[test]
fn a_million_decisions_are_those_of_the_plain_rule() {
    let mut noise = Noise(0x5eed);
    let patient = PatientId(id(5, 0));
    let (mut cases, mut open) = (0_usize, 0_usize);
    while cases < wanted("PRAXIS_POLICY_CASES", 1_000_000) {
        let actor = actor(&mut noise, &[patient, PatientId(id(5, 1))]);
        let rows = [
            Row::of(patient.0),
            Row {
                encounter: noise.once_in(2).then(|| id(6, 0)),
                document: noise.once_in(2).then(|| id(9, 0)),
                facility: noise.once_in(2).then(|| noise.pick(&facilities())),
                practitioner: noise.once_in(2).then(|| noise.pick(&practitioners())),
                ..Row::of(id(7, 0))
            },
        ];
        let facts = Facts {
            known_at: noise.some(&facilities()),
            care_team: noise.once_in(2),
            in_care: noise.once_in(2),
            directives: (0..noise.below(4)).map(|_| directive(&mut noise)).collect(),
            labels: (0..noise.below(3))
                .map(|_| {
                    (noise.pick(&[patient.0, id(6, 0), id(7, 0), id(7, 1), id(9, 0)]), level(&mut noise))
                })
                .collect(),
        };
        let standing = Standing::new(&actor, patient, facts.clone(), now());
        for row in &rows {
            let rights = standing.on(&actor, row);
            for permission in ON_RECORD.iter() {
                let expected = reference::may(&actor, patient.0, &facts, row, permission, now());
                assert_eq!(rights.may(permission), expected, "{permission} {row:?} {facts:?} {actor:?}");
                assert_eq!(rights.closed(permission).is_none(), expected);
                cases += 1;
                open += usize::from(expected);
            }
        }
    }
    // A generator that only ever denies, or never, would prove nothing.
    assert!(open * 10 > cases && open * 10 < cases * 9, "{open} of {cases} were open");
}

/// The rows of the clinic in which the SQL is tried.
struct Clinic {
    patients: Vec<PatientId>,
    /// Table, patient and what decides about each row.
    rows: Vec<(Table, usize, Row)>,
}

fn populate(noise: &mut Noise, sql: &mut String) -> Clinic {
    let patients: Vec<_> = (0..12).map(|number| PatientId(id(5, number))).collect();
    for (number, facility) in facilities().iter().enumerate() {
        writeln!(sql, "INSERT INTO facility (id, code, name, time_zone) VALUES ('{}', 'F{number}', 'F{number}', 'UTC');", facility.0).unwrap();
    }
    for practitioner in practitioners() {
        writeln!(
            sql,
            "INSERT INTO practitioner (id, family, given) VALUES ('{}', 'X', '{{}}');",
            practitioner.0
        )
        .unwrap();
    }
    for (number, user) in users().iter().enumerate() {
        writeln!(sql, "INSERT INTO user_account (id, email, display_name, password_hash) VALUES ('{}', 'u{number}@praxis.test', 'U', '');", user.0).unwrap();
    }
    let mut rows = Vec::new();
    let text = |id: Option<Uuid>| id.map_or("NULL".to_owned(), |id| format!("'{id}'"));
    for (number, patient) in patients.iter().enumerate() {
        let status = if noise.once_in(3) { "INACTIVE" } else { "ACTIVE" };
        writeln!(sql, "INSERT INTO patient (id, status, administrative_sex, record_number, identity, contact, identifiers) VALUES ('{}', '{status}', 'OTHER', '', '', '', '');", patient.0).unwrap();
        rows.push((Table::Patient, number, Row::of(patient.0)));
        for visit in 0..3 {
            let (place, clinician) = (noise.pick(&facilities()), noise.pick(&practitioners()));
            let appointment = id(6, number * 10 + visit);
            writeln!(sql, "INSERT INTO appointment (id, patient_id, practitioner_id, facility_id, modality, status, starts_at, ends_at, time_zone) VALUES ('{appointment}', '{}', '{}', '{}', 'PHONE', 'BOOKED', now(), now() + interval '1 hour', 'UTC');", patient.0, clinician.0, place.0).unwrap();
            let row = Row { facility: Some(place), practitioner: Some(clinician), ..Row::of(appointment) };
            rows.push((Table::Appointment, number, row));
            let (place, clinician) = (
                noise.once_in(2).then(|| noise.pick(&facilities())),
                noise.once_in(2).then(|| noise.pick(&practitioners())),
            );
            let encounter = id(7, number * 10 + visit);
            writeln!(sql, "INSERT INTO encounter (id, patient_id, practitioner_id, facility_id, class, status) VALUES ('{encounter}', '{}', {}, {}, 'AMBULATORY', 'CLOSED');", patient.0, text(clinician.map(|id| id.0)), text(place.map(|id| id.0))).unwrap();
            rows.push((
                Table::Encounter,
                number,
                Row { facility: place, practitioner: clinician, ..Row::of(encounter) },
            ));
            // A document, and what was added to it.
            let (first, second) = (id(11, number * 10 + visit), id(12, number * 10 + visit));
            for (document, adds_to) in [(first, None), (second, Some(first))] {
                let inside = noise.once_in(2).then_some(encounter);
                let clinician = noise.once_in(2).then(|| noise.pick(&practitioners()));
                writeln!(sql, "INSERT INTO clinical_document (id, patient_id, encounter_id, practitioner_id, addendum_to, type_code, status) VALUES ('{document}', '{}', {}, {}, {}, '11506-3', 'RECEIVED');", patient.0, text(inside), text(clinician.map(|id| id.0)), text(adds_to)).unwrap();
                let row = Row {
                    encounter: inside,
                    document: adds_to,
                    practitioner: clinician,
                    ..Row::of(document)
                };
                rows.push((Table::ClinicalDocument, number, row));
            }
            for (table, kind, columns, values) in [
                (
                    Table::Observation,
                    8,
                    "performer_id, category, status, result",
                    "'LABORATORY', 'FINAL', ''",
                ),
                (
                    Table::Condition,
                    10,
                    "recorder_id, category, verification_status, clinical",
                    "'HEALTH_CONCERN', 'CONFIRMED', ''",
                ),
            ] {
                let row = id(kind, number * 10 + visit);
                let inside = noise.once_in(2).then_some(encounter);
                let clinician = noise.once_in(2).then(|| noise.pick(&practitioners()));
                writeln!(sql, "INSERT INTO {} (id, patient_id, encounter_id, {columns}) VALUES ('{row}', '{}', {}, {}, {values});", table.name(), patient.0, text(inside), text(clinician.map(|id| id.0))).unwrap();
                rows.push((
                    table,
                    number,
                    Row { encounter: inside, practitioner: clinician, ..Row::of(row) },
                ));
            }
        }
    }
    Clinic { patients, rows }
}

/// Branches, directives, labels and team of a patient.
type Circumstances = (Vec<FacilityId>, Vec<Directive>, Vec<(Uuid, Sensitivity)>, HashSet<Uuid>);

/// Directives, labels, teams and branches of all patients, anew.
fn circumstances(noise: &mut Noise, clinic: &Clinic, sql: &mut String) -> Vec<Circumstances> {
    sql.push_str("DELETE FROM patient_facility; DELETE FROM care_team_member; DELETE FROM sensitivity_label; DELETE FROM consent_directive;\n");
    let mut all = Vec::new();
    for (number, patient) in clinic.patients.iter().enumerate() {
        let known = noise.some(&facilities());
        for facility in &known {
            writeln!(sql, "INSERT INTO patient_facility VALUES ('{}', '{}');", patient.0, facility.0)
                .unwrap();
        }
        let mut team = HashSet::new();
        for (column, carer) in
            [("user_id", noise.pick(&users()).0), ("practitioner_id", noise.pick(&practitioners()).0)]
        {
            // In the team now, before, or not yet.
            let (from, until, counts) = noise.pick(&[
                ("-1 hour", "NULL", true),
                ("-1 hour", "'2027-01-01T12:00:01Z'", true),
                ("-2 hour", "'2027-01-01T12:00:00Z'", false),
                ("1 second", "NULL", false),
            ]);
            writeln!(sql, "INSERT INTO care_team_member (id, patient_id, {column}, role, starts_at, ends_at) VALUES (gen_random_uuid(), '{}', '{carer}', 'NURSE', timestamptz '2027-01-01T12:00:00Z' + interval '{from}', {until});", patient.0).unwrap();
            if counts {
                team.insert(carer);
            }
        }
        let directives: Vec<_> = (0..noise.below(4)).map(|_| directive(noise)).collect();
        for directive in &directives {
            let (scope, facility, role, user) = match &directive.whom {
                Whom::Anyone => ("ANYONE", None, None, None),
                Whom::Facility(facility) => ("FACILITY", Some(facility.0), None, None),
                Whom::Role(code) => ("ROLE", None, Some(code.clone()), None),
                Whom::User(user) => ("USER", None, None, Some(user.0)),
            };
            let text = |id: Option<String>| id.map_or("NULL".to_owned(), |id| format!("'{id}'"));
            let decision = if directive.permit { "PERMIT" } else { "DENY" };
            writeln!(sql, "INSERT INTO consent_directive (id, patient_id, decision, class, scope, facility_id, role_code, user_id, starts_at) VALUES (gen_random_uuid(), '{}', '{decision}', '{}', '{scope}', {}, {}, {}, '2027-01-01T12:00:00Z');", patient.0, directive.class.code(), text(facility.map(|id| id.to_string())), text(role), text(user.map(|id| id.to_string()))).unwrap();
        }
        // Directives that do not hold: taken back, over, or not begun.
        writeln!(sql, "INSERT INTO consent_directive (id, patient_id, decision, class, scope, starts_at, ends_at, revoked_at) VALUES (gen_random_uuid(), '{0}', 'DENY', 'ALL', 'ANYONE', '2026-01-01T00:00:00Z', NULL, '2026-02-01T00:00:00Z'), (gen_random_uuid(), '{0}', 'DENY', 'ALL', 'ANYONE', '2026-01-01T00:00:00Z', '2027-01-01T12:00:00Z', NULL), (gen_random_uuid(), '{0}', 'DENY', 'ALL', 'ANYONE', '2027-01-01T12:00:01Z', NULL, NULL);", patient.0).unwrap();
        let mut labels = Vec::new();
        for (table, owner, row) in &clinic.rows {
            if *owner == number && noise.once_in(4) {
                let level = level(noise);
                writeln!(sql, "INSERT INTO sensitivity_label (object_id, object_type, patient_id, level) VALUES ('{}', upper('{}'), '{}', '{}');", row.id, table.name(), patient.0, level.code()).unwrap();
                labels.push((row.id, level));
            }
        }
        all.push((known, directives, labels, team));
    }
    all
}

async fn seen(op: &Op<Read>, permission: Permission, table: Table) -> Result<HashSet<Uuid>> {
    let condition = permitted(op.actor(), permission, table, now());
    macro_rules! ids {
        ($entity:ident) => {
            $entity::Entity::find()
                .select_only()
                .column($entity::Column::Id)
                .filter(condition)
                .into_tuple::<Uuid>()
                .all(op.db())
                .await?
        };
    }
    let ids = match table {
        Table::Patient => ids!(patient),
        Table::Appointment => ids!(appointment),
        Table::Encounter => ids!(encounter),
        Table::Observation => ids!(observation),
        Table::ClinicalDocument => ids!(clinical_document),
        _ => ids!(condition),
    };
    Ok(ids.into_iter().collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_and_fields_see_the_rows_that_the_plain_rule_lets_them_see() -> Result<()> {
    let server = TestServer::new(&[("northside", "owner@praxis.test", "owner")]).await?;
    let tenant = server.app.directory.by_slug("northside").unwrap();
    let mut admin = server.installation.admin().await?;
    let path = format!("SET search_path = {}", tenant.schema);
    admin.execute(sqlx::raw_sql(AssertSqlSafe(path))).await?;
    let mut noise = Noise(0xc11_41c);
    let mut sql = String::new();
    let clinic = populate(&mut noise, &mut sql);
    let (mut decisions, mut open) = (0_usize, 0_usize);
    let began = Instant::now();
    for _ in 0..wanted("PRAXIS_POLICY_WORLDS", 4) {
        let circumstances = circumstances(&mut noise, &clinic, &mut sql);
        admin.execute(sqlx::raw_sql(AssertSqlSafe(std::mem::take(&mut sql)))).await?;
        let active: HashSet<Uuid> = sqlx::query_scalar("SELECT id FROM patient WHERE status = 'ACTIVE'")
            .fetch_all(&mut admin)
            .await?
            .into_iter()
            .collect();
        for _ in 0..24 {
            let actor = Arc::new(actor(&mut noise, &clinic.patients));
            let platform = Arc::clone(&server.app.platform);
            let factory = OpFactory::new(
                platform,
                Arc::clone(&tenant),
                Arc::clone(&actor),
                RequestInfo::default(),
                true,
            );
            let op = factory.read();
            let standings = Standing::load(op.db(), &actor, &clinic.patients, now()).await?;
            let facts: Vec<Facts> = circumstances
                .iter()
                .zip(&clinic.patients)
                .map(|((known, directives, labels, team), patient)| Facts {
                    known_at: known.clone(),
                    care_team: actor.user.is_some_and(|user| team.contains(&user.0))
                        || actor.practitioner.is_some_and(|practitioner| team.contains(&practitioner.0)),
                    in_care: active.contains(&patient.0),
                    directives: directives.clone(),
                    labels: labels.clone(),
                })
                .collect();
            for table in [
                Table::Patient,
                Table::Appointment,
                Table::Encounter,
                Table::Observation,
                Table::Condition,
                Table::ClinicalDocument,
            ] {
                let permission = noise.pick(&ON_RECORD.iter().collect::<Vec<_>>());
                for permission in [permission, Permission::OBSERVATION_READ, Permission::PATIENT_READ] {
                    let seen = seen(&op, permission, table).await?;
                    for (_, number, row) in clinic.rows.iter().filter(|(of, ..)| *of == table) {
                        let patient = clinic.patients[*number];
                        let expected =
                            reference::may(&actor, patient.0, &facts[*number], row, permission, now());
                        let told =
                            || format!("{permission} {table:?} {row:?} {:?} {actor:?}", facts[*number]);
                        assert_eq!(seen.contains(&row.id), expected, "SQL: {}", told());
                        let rights = standings[&patient].on(&actor, row);
                        assert_eq!(rights.may(permission), expected, "loaded: {}", told());
                        decisions += 1;
                        open += usize::from(expected);
                    }
                }
            }
        }
    }
    eprintln!("{decisions} decisions, {open} of them open, in {:?}", began.elapsed());
    assert!(open * 20 > decisions && open * 20 < decisions * 19, "{open} of {decisions} were open");
    Ok(())
}

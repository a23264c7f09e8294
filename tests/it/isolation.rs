//! Another clinic is as if it were not there, and Postgres sees to it too.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use praxis_platform::{
    error::sqlstate,
    tenancy::{Control, Pool, PoolLimits, Tenant, TenantDb},
};
use sea_orm::{ConnectionTrait, DbBackend, Statement, TransactionTrait};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor};

use crate::support::{installation::TestInstallation, server::TestServer};

fn sql(text: impl Into<String>) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, text, [])
}

async fn two_clinics() -> Result<TestServer> {
    TestServer::new(&[("northside", "a@praxis.test", "owner"), ("harbor", "b@praxis.test", "owner")]).await
}

/// Every way to hand an id in, as `(query, name of the variable's type)`.
const WITH_AN_ID: &[(&str, &str)] = &[
    ("query($id: ID!) { node(id: $id) { id } }", "any"),
    ("query($id: ID!) { nodes(ids: [$id]) { id } }", "any"),
    ("query($id: ID!) { patient(by: { id: $id }) { id } }", "pat"),
    ("query($id: ID!) { appointment(id: $id) { id } }", "apt"),
    ("query($id: ID!) { encounter(id: $id) { id } }", "enc"),
    ("query($id: ID!) { observation(id: $id) { id } }", "obs"),
    ("query($id: ID!) { condition(id: $id) { id } }", "con"),
    (
        "mutation($id: ID!) { problemRecord(input: { patientId: $id, code: { text: \"x\" } }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { problemRecord(input: { patientId: \"PAT\", encounterId: $id, code: { text: \"x\" } }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { allergyRecord(input: { patientId: $id, code: { text: \"x\" } }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { allergyRecord(input: { patientId: \"PAT\", encounterId: $id, code: { text: \"x\" } }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { medicationStatementRecord(input: { patientId: $id, code: { text: \"x\" } }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { medicationStatementRecord(input: { patientId: \"PAT\", encounterId: $id, code: { text: \"x\" } }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { immunizationRecord(input: { patientId: $id, vaccine: { text: \"x\" }, givenAt: \"2020\" }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { immunizationRecord(input: { patientId: \"PAT\", encounterId: $id, vaccine: { text: \"x\" }, givenAt: \"2020\" }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { procedureRecord(input: { patientId: $id, code: { text: \"x\" } }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { procedureRecord(input: { patientId: \"PAT\", encounterId: $id, code: { text: \"x\" } }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { familyHistoryRecord(input: { patientId: $id, relationship: { text: \"mother\" } }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { familyHistoryRecord(input: { patientId: \"PAT\", encounterId: $id, relationship: { text: \"mother\" } }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { socialHistoryRecord(input: { patientId: $id, code: { text: \"x\" }, value: { text: \"y\" } }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { socialHistoryRecord(input: { patientId: \"PAT\", encounterId: $id, code: { text: \"x\" }, value: { text: \"y\" } }) { userErrors { code message path } } }",
        "enc",
    ),
    ("query($id: ID!) { allergy(id: $id) { id } }", "alg"),
    ("query($id: ID!) { medicationStatement(id: $id) { id } }", "mst"),
    ("query($id: ID!) { immunization(id: $id) { id } }", "imm"),
    ("query($id: ID!) { procedure(id: $id) { id } }", "prc"),
    ("query($id: ID!) { familyHistory(id: $id) { id } }", "fah"),
    ("query($id: ID!) { socialHistory(id: $id) { id } }", "soh"),
    (
        "mutation($id: ID!) { problemRemit(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "con",
    ),
    (
        "mutation($id: ID!) { problemInactivate(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "con",
    ),
    (
        "mutation($id: ID!) { problemResolve(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "con",
    ),
    (
        "mutation($id: ID!) { problemRecur(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "con",
    ),
    (
        "mutation($id: ID!) { problemRelapse(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "con",
    ),
    (
        "mutation($id: ID!) { allergyInactivate(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "alg",
    ),
    (
        "mutation($id: ID!) { allergyResolve(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "alg",
    ),
    (
        "mutation($id: ID!) { allergyReactivate(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "alg",
    ),
    (
        "mutation($id: ID!) { allergyRefute(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "alg",
    ),
    (
        "mutation($id: ID!) { medicationStatementStop(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "mst",
    ),
    (
        "mutation($id: ID!) { medicationStatementComplete(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "mst",
    ),
    (
        "mutation($id: ID!) { problemEnterInError(input: { id: $id, ifVersion: 1, reason: \"x\" }) { userErrors { code message path } } }",
        "con",
    ),
    (
        "mutation($id: ID!) { allergyEnterInError(input: { id: $id, ifVersion: 1, reason: \"x\" }) { userErrors { code message path } } }",
        "alg",
    ),
    (
        "mutation($id: ID!) { medicationStatementEnterInError(input: { id: $id, ifVersion: 1, reason: \"x\" }) { userErrors { code message path } } }",
        "mst",
    ),
    (
        "mutation($id: ID!) { immunizationEnterInError(input: { id: $id, ifVersion: 1, reason: \"x\" }) { userErrors { code message path } } }",
        "imm",
    ),
    (
        "mutation($id: ID!) { procedureEnterInError(input: { id: $id, ifVersion: 1, reason: \"x\" }) { userErrors { code message path } } }",
        "prc",
    ),
    (
        "mutation($id: ID!) { familyHistoryEnterInError(input: { id: $id, ifVersion: 1, reason: \"x\" }) { userErrors { code message path } } }",
        "fah",
    ),
    (
        "mutation($id: ID!) { socialHistoryEnterInError(input: { id: $id, ifVersion: 1, reason: \"x\" }) { userErrors { code message path } } }",
        "soh",
    ),
    ("query($id: ID!) { document(id: $id) { id } }", "doc"),
    ("query($id: ID!) { documentTemplate(id: $id) { id } }", "ntp"),
    (
        "mutation($id: ID!) { documentDraft(input: { patientId: $id, templateId: \"NTP\" }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { documentDraft(input: { patientId: \"PAT\", encounterId: $id, templateId: \"NTP\" }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { documentDraft(input: { patientId: \"PAT\", templateId: $id }) { userErrors { code message path } } }",
        "ntp",
    ),
    (
        "mutation($id: ID!) { documentSave(input: { id: $id, ifVersion: 1, sections: [] }) { userErrors { code message path } } }",
        "doc",
    ),
    (
        "mutation($id: ID!) { documentLeaseTake(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "doc",
    ),
    (
        "mutation($id: ID!) { documentLeaseRelease(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "doc",
    ),
    (
        "mutation($id: ID!) { documentDiscard(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "doc",
    ),
    (
        "mutation($id: ID!) { documentSign(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "doc",
    ),
    (
        "mutation($id: ID!) { documentCosign(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "doc",
    ),
    (
        "mutation($id: ID!) { documentAmend(input: { id: $id, ifVersion: 1, sections: [], reason: \"x\" }) { userErrors { code message path } } }",
        "doc",
    ),
    (
        "mutation($id: ID!) { documentAddendum(input: { id: $id, ifVersion: 1, text: \"x\" }) { userErrors { code message path } } }",
        "doc",
    ),
    (
        "mutation($id: ID!) { documentEnterInError(input: { id: $id, ifVersion: 1, reason: \"x\" }) { userErrors { code message path } } }",
        "doc",
    ),
    (
        "mutation($id: ID!) { documentTemplateChange(input: { id: $id, ifVersion: 1, title: \"x\", type: \"34748-4\", sections: [] }) { userErrors { code message path } } }",
        "ntp",
    ),
    (
        "mutation($id: ID!) { documentTemplateRetire(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "ntp",
    ),
    ("query($id: ID!) { practitioner(id: $id) { id } }", "pra"),
    (
        "query($id: ID!) { appointments(filter: { practitioner: { eq: $id } }) { totalCount nodes { id } } }",
        "pra",
    ),
    (
        "query($id: ID!) { appointments(filter: { practitioner: { in: [$id] } }) { totalCount nodes { id } } }",
        "pra",
    ),
    (
        "query($id: ID!) { appointments(filter: { facility: { eq: $id } }) { totalCount nodes { id } } }",
        "fac",
    ),
    (
        "query($id: ID!) { freeSlots(practitionerId: $id, from: \"2027-03-01T00:00:00Z\", until: \"2027-03-02T00:00:00Z\") { startsAt } }",
        "pra",
    ),
    (
        "query($id: ID!) { freeSlots(practitionerId: \"PRA\", facilityId: $id, from: \"2027-03-01T00:00:00Z\", until: \"2027-03-02T00:00:00Z\") { startsAt } }",
        "fac",
    ),
    (
        "query($id: ID!) { freeSlots(practitionerId: \"PRA\", visitKindId: $id, from: \"2027-03-01T00:00:00Z\", until: \"2027-03-02T00:00:00Z\") { startsAt } }",
        "vst",
    ),
    (
        "mutation($id: ID!) { patientUpdate(input: { id: $id, ifVersion: 1, email: null }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { patientDeactivate(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { patientReactivate(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { patientRecordDeath(input: { id: $id, ifVersion: 1, deceasedAt: \"2026-01-01T00:00:00Z\" }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { relatedPersonAdd(input: { patientId: $id, relationship: { text: \"mother\" }, name: { given: [], family: \"X\" } }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { relatedPersonEnd(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "rel",
    ),
    (
        "mutation($id: ID!) { patientCreate(input: { name: { given: [], family: \"\" }, birthDate: \"1990\", acceptDuplicates: [$id] }) { userErrors { code message path } } }",
        "pat",
    ),
    ("query($id: ID!) { role(id: $id) { id } }", "rol"),
    (
        "mutation($id: ID!) { roleChange(input: { id: $id, ifVersion: 1, name: \"X\" }) { userErrors { code message path } } }",
        "rol",
    ),
    (
        "mutation($id: ID!) { roleRetire(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "rol",
    ),
    (
        "mutation($id: ID!) { roleGrant(input: { userId: $id, roleId: \"rol_01jd3k5n8re6ktp1rb6z9q4x2m\" }) { userErrors { code message path } } }",
        "usr",
    ),
    (
        "mutation($id: ID!) { roleGrant(input: { userId: \"usr_01jd3k5n8re6ktp1rb6z9q4x2m\", roleId: $id }) { userErrors { code message path } } }",
        "rol",
    ),
    (
        "mutation($id: ID!) { roleGrant(input: { userId: \"usr_01jd3k5n8re6ktp1rb6z9q4x2m\", roleId: \"rol_01jd3k5n8re6ktp1rb6z9q4x2m\", facilityId: $id }) { userErrors { code message path } } }",
        "fac",
    ),
    (
        "mutation($id: ID!) { roleRevoke(input: { userId: $id, roleId: \"rol_01jd3k5n8re6ktp1rb6z9q4x2m\" }) { userErrors { code message path } } }",
        "usr",
    ),
    (
        "mutation($id: ID!) { roleRevoke(input: { userId: \"usr_01jd3k5n8re6ktp1rb6z9q4x2m\", roleId: $id }) { userErrors { code message path } } }",
        "rol",
    ),
    (
        "mutation($id: ID!) { roleRevoke(input: { userId: \"usr_01jd3k5n8re6ktp1rb6z9q4x2m\", roleId: \"rol_01jd3k5n8re6ktp1rb6z9q4x2m\", facilityId: $id }) { userErrors { code message path } } }",
        "fac",
    ),
    ("query($id: ID!) { breakGlass(id: $id) { id } }", "bgl"),
    ("query($id: ID!) { breakGlasses(filter: { userId: $id }) { totalCount nodes { id } } }", "usr"),
    ("query($id: ID!) { breakGlasses(filter: { patientId: $id }) { totalCount nodes { id } } }", "pat"),
    (
        "mutation($id: ID!) { breakGlassDeclare(input: { patientId: $id, category: OTHER, reason: \"Somebody from elsewhere\", classes: [CLINICAL] }) { userErrors { code message path } } }",
        "pat",
    ),
    ("mutation($id: ID!) { breakGlassEnd(input: { id: $id }) { userErrors { code message path } } }", "bgl"),
    (
        "mutation($id: ID!) { breakGlassReview(input: { id: $id, outcome: JUSTIFIED, comment: \"x\" }) { userErrors { code message path } } }",
        "bgl",
    ),
    (
        "mutation($id: ID!) { roomAdd(input: { facilityId: $id, name: \"1\" }) { userErrors { code message path } } }",
        "fac",
    ),
    (
        "mutation($id: ID!) { availabilitySet(input: { practitionerId: $id, facilityId: \"FAC\", hours: [] }) { userErrors { code message path } } }",
        "pra",
    ),
    (
        "mutation($id: ID!) { availabilitySet(input: { practitionerId: \"PRA\", facilityId: $id, hours: [] }) { userErrors { code message path } } }",
        "fac",
    ),
    (
        "mutation($id: ID!) { appointmentBook(input: { patientId: $id, practitionerId: \"PRA\", type: PHONE, startsAt: \"2027-03-01T10:00:00Z\" }) @idempotent(key: \"k1\") { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { appointmentBook(input: { patientId: \"PAT\", practitionerId: $id, type: PHONE, startsAt: \"2027-03-01T10:00:00Z\" }) @idempotent(key: \"k2\") { userErrors { code message path } } }",
        "pra",
    ),
    (
        "mutation($id: ID!) { appointmentBook(input: { patientId: \"PAT\", practitionerId: \"PRA\", facilityId: $id, type: PHONE, startsAt: \"2027-03-01T10:00:00Z\" }) @idempotent(key: \"k3\") { userErrors { code message path } } }",
        "fac",
    ),
    (
        "mutation($id: ID!) { appointmentBook(input: { patientId: \"PAT\", practitionerId: \"PRA\", roomId: $id, type: PHONE, startsAt: \"2027-03-01T10:00:00Z\" }) @idempotent(key: \"k4\") { userErrors { code message path } } }",
        "roo",
    ),
    (
        "mutation($id: ID!) { appointmentBook(input: { patientId: \"PAT\", practitionerId: \"PRA\", visitKindId: $id, type: PHONE, startsAt: \"2027-03-01T10:00:00Z\" }) @idempotent(key: \"k5\") { userErrors { code message path } } }",
        "vst",
    ),
    (
        "mutation($id: ID!) { appointmentReschedule(input: { id: $id, ifVersion: 1, startsAt: \"2027-03-01T10:00:00Z\" }) { userErrors { code message path } } }",
        "apt",
    ),
    (
        "mutation($id: ID!) { appointmentReschedule(input: { id: \"APT\", ifVersion: 1, startsAt: \"2027-03-01T10:00:00Z\", practitionerId: $id }) { userErrors { code message path } } }",
        "pra",
    ),
    (
        "mutation($id: ID!) { appointmentReschedule(input: { id: \"APT\", ifVersion: 1, startsAt: \"2027-03-01T10:00:00Z\", roomId: $id }) { userErrors { code message path } } }",
        "roo",
    ),
    (
        "mutation($id: ID!) { appointmentCancel(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "apt",
    ),
    (
        "mutation($id: ID!) { appointmentMarkNoShow(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "apt",
    ),
    ("query($id: ID!) { appointmentSeries(id: $id) { id } }", "aps"),
    ("query($id: ID!) { waitlistEntries(practitionerId: $id) { totalCount nodes { id } } }", "pra"),
    ("query($id: ID!) { waitlistEntries(facilityId: $id) { totalCount nodes { id } } }", "fac"),
    ("query($id: ID!) { queueTokens(facilityId: $id) { id } }", "fac"),
    ("query($id: ID!) { availabilityExceptions(facilityId: $id) { id } }", "fac"),
    (
        "query($id: ID!) { slots(search: { practitionerIds: [$id], from: \"2027-03-01T00:00:00Z\", until: \"2027-03-02T00:00:00Z\" }) { startsAt } }",
        "pra",
    ),
    (
        "query($id: ID!) { slots(search: { facilityId: $id, from: \"2027-03-01T00:00:00Z\", until: \"2027-03-02T00:00:00Z\" }) { startsAt } }",
        "fac",
    ),
    (
        "query($id: ID!) { slots(search: { visitKindId: $id, from: \"2027-03-01T00:00:00Z\", until: \"2027-03-02T00:00:00Z\" }) { startsAt } }",
        "vst",
    ),
    (
        "query($id: ID!) { slotSuggestions(patientId: $id, search: { from: \"2027-03-01T00:00:00Z\", until: \"2027-03-02T00:00:00Z\" }) { score } }",
        "pat",
    ),
    (
        "query($id: ID!) { slotSuggestions(patientId: \"PAT\", search: { from: \"2027-03-01T00:00:00Z\", until: \"2027-03-02T00:00:00Z\" }, preferences: { facilityId: $id }) { score } }",
        "fac",
    ),
    (
        "mutation($id: ID!) { appointmentBook(input: { patientId: \"PAT\", practitionerId: \"PRA\", deviceIds: [$id], type: PHONE, startsAt: \"2027-03-01T10:00:00Z\" }) @idempotent(key: \"k6\") { userErrors { code message path } } }",
        "dev",
    ),
    (
        "mutation($id: ID!) { appointmentReschedule(input: { id: \"APT\", ifVersion: 1, startsAt: \"2027-03-01T10:00:00Z\", deviceIds: [$id] }) { userErrors { code message path } } }",
        "dev",
    ),
    (
        "mutation($id: ID!) { appointmentHoldConfirm(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "apt",
    ),
    (
        "mutation($id: ID!) { appointmentConfirm(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "apt",
    ),
    (
        "mutation($id: ID!) { appointmentArrive(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "apt",
    ),
    (
        "mutation($id: ID!) { appointmentCheckIn(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "apt",
    ),
    (
        "mutation($id: ID!) { appointmentRoom(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "apt",
    ),
    (
        "mutation($id: ID!) { appointmentStart(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "apt",
    ),
    (
        "mutation($id: ID!) { appointmentComplete(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "apt",
    ),
    (
        "mutation($id: ID!) { appointmentUndoNoShow(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "apt",
    ),
    (
        "mutation($id: ID!) { appointmentEnterInError(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "apt",
    ),
    (
        "mutation($id: ID!) { appointmentSeriesCancel(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "aps",
    ),
    (
        "mutation($id: ID!) { appointmentSeriesReplace(input: { id: $id, ifVersion: 1, startsAt: \"2027-03-01T10:00:00Z\", rule: \"FREQ=DAILY;COUNT=2\" }) { userErrors { code message path } } }",
        "aps",
    ),
    (
        "mutation($id: ID!) { appointmentSeriesReplace(input: { id: \"aps_01jd3k5n8re6ktp1rb6z9q4x2m\", ifVersion: 1, practitionerId: $id, startsAt: \"2027-03-01T10:00:00Z\", rule: \"FREQ=DAILY;COUNT=2\" }) { userErrors { code message path } } }",
        "pra",
    ),
    (
        "mutation($id: ID!) { waitlistEntryAdd(input: { patientId: $id, type: PHONE, latest: \"2027-03-01T10:00:00Z\" }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { waitlistEntryAdd(input: { patientId: \"PAT\", practitionerId: $id, type: PHONE, latest: \"2027-03-01T10:00:00Z\" }) { userErrors { code message path } } }",
        "pra",
    ),
    (
        "mutation($id: ID!) { waitlistEntryAdd(input: { patientId: \"PAT\", facilityId: $id, type: PHONE, latest: \"2027-03-01T10:00:00Z\" }) { userErrors { code message path } } }",
        "fac",
    ),
    (
        "mutation($id: ID!) { waitlistEntryAdd(input: { patientId: \"PAT\", visitKindId: $id, type: PHONE, latest: \"2027-03-01T10:00:00Z\" }) { userErrors { code message path } } }",
        "vst",
    ),
    (
        "mutation($id: ID!) { waitlistEntryRemove(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "wle",
    ),
    (
        "mutation($id: ID!) { waitlistOfferAccept(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "wle",
    ),
    (
        "mutation($id: ID!) { waitlistOfferDecline(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "wle",
    ),
    (
        "mutation($id: ID!) { queueTokenIssue(input: { facilityId: $id }) { userErrors { code message path } } }",
        "fac",
    ),
    (
        "mutation($id: ID!) { queueTokenIssue(input: { facilityId: \"FAC\", patientId: $id }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { queueTokenCallNext(input: { facilityId: $id }) { userErrors { code message path } } }",
        "fac",
    ),
    (
        "mutation($id: ID!) { queueTokenCall(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "qtk",
    ),
    (
        "mutation($id: ID!) { queueTokenServe(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "qtk",
    ),
    (
        "mutation($id: ID!) { queueTokenSkip(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "qtk",
    ),
    (
        "mutation($id: ID!) { availabilityExceptionAdd(input: { facilityId: $id, kind: CLOSED, firstDay: \"2027-03-01\" }) { userErrors { code message path } } }",
        "fac",
    ),
    (
        "mutation($id: ID!) { availabilityExceptionAdd(input: { facilityId: \"FAC\", of: { practitionerId: $id }, kind: CLOSED, firstDay: \"2027-03-01\" }) { userErrors { code message path } } }",
        "pra",
    ),
    (
        "mutation($id: ID!) { availabilityExceptionAdd(input: { facilityId: \"FAC\", of: { roomId: $id }, kind: CLOSED, firstDay: \"2027-03-01\" }) { userErrors { code message path } } }",
        "roo",
    ),
    (
        "mutation($id: ID!) { availabilityExceptionAdd(input: { facilityId: \"FAC\", of: { deviceId: $id }, kind: CLOSED, firstDay: \"2027-03-01\" }) { userErrors { code message path } } }",
        "dev",
    ),
    (
        "mutation($id: ID!) { availabilityExceptionRemove(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "avx",
    ),
    (
        "mutation($id: ID!) { calendarFeedCreate(input: { practitionerId: $id }) { userErrors { code message path } } }",
        "pra",
    ),
    (
        "mutation($id: ID!) { calendarFeedRevoke(input: { practitionerId: $id }) { userErrors { code message path } } }",
        "pra",
    ),
    (
        "mutation($id: ID!) { deviceAdd(input: { facilityId: $id, kind: \"ECG\", name: \"1\" }) { userErrors { code message path } } }",
        "fac",
    ),
    (
        "mutation($id: ID!) { resourceCapacitySet(input: { id: $id, ifVersion: 1, capacity: 2, overbookLimit: 0 }) { userErrors { code message path } } }",
        "roo",
    ),
    (
        "mutation($id: ID!) { visitKindConfigure(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "vst",
    ),
    ("query($id: ID!) { user(id: $id) { id } }", "usr"),
    (
        "mutation($id: ID!) { userInvite(input: { email: \"a@b.example\", displayName: \"A\", role: \"nurse\", facilityId: $id }) { userErrors { code message path } } }",
        "fac",
    ),
    (
        "mutation($id: ID!) { userInvite(input: { email: \"a@b.example\", displayName: \"A\", role: \"nurse\", practitionerId: $id }) { userErrors { code message path } } }",
        "pra",
    ),
    (
        "mutation($id: ID!) { invitationResend(input: { id: $id }) { userErrors { code message path } } }",
        "inv",
    ),
    (
        "mutation($id: ID!) { invitationRevoke(input: { id: $id }) { userErrors { code message path } } }",
        "inv",
    ),
    ("mutation($id: ID!) { userDisable(input: { id: $id }) { userErrors { code message path } } }", "usr"),
    ("mutation($id: ID!) { userEnable(input: { id: $id }) { userErrors { code message path } } }", "usr"),
    (
        "mutation($id: ID!) { userRename(input: { id: $id, displayName: \"A\" }) { userErrors { code message path } } }",
        "usr",
    ),
    (
        "mutation($id: ID!) { careTeamAdd(input: { patientId: $id, carer: { practitionerId: \"PRA\" }, role: NURSE }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { careTeamAdd(input: { patientId: \"PAT\", carer: { practitionerId: $id }, role: NURSE }) { userErrors { code message path } } }",
        "pra",
    ),
    (
        "mutation($id: ID!) { careTeamAdd(input: { patientId: \"PAT\", carer: { userId: $id }, role: NURSE }) { userErrors { code message path } } }",
        "usr",
    ),
    (
        "mutation($id: ID!) { careTeamEnd(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "ctm",
    ),
    (
        "mutation($id: ID!) { consentRecord(input: { patientId: $id, decision: DENY, class: ALL, whom: { role: \"nurse\" } }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { consentRecord(input: { patientId: \"PAT\", decision: DENY, class: ALL, whom: { facilityId: $id } }) { userErrors { code message path } } }",
        "fac",
    ),
    (
        "mutation($id: ID!) { consentRecord(input: { patientId: \"PAT\", decision: DENY, class: ALL, whom: { userId: $id } }) { userErrors { code message path } } }",
        "usr",
    ),
    (
        "mutation($id: ID!) { consentRevoke(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "cns",
    ),
    (
        "mutation($id: ID!) { confidentialitySet(input: { id: $id, confidentiality: RESTRICTED }) { userErrors { code message path } } }",
        "apt",
    ),
    (
        "mutation($id: ID!) { fieldPolicyRemove(input: { id: $id }) { userErrors { code message path } } }",
        "fpo",
    ),
    ("query($id: ID!) { userSessions(userId: $id) { id } }", "usr"),
    ("mutation($id: ID!) { sessionEnd(input: { id: $id }) { userErrors { code message path } } }", "ses"),
    (
        "mutation($id: ID!) { sessionEndOthers(input: { userId: $id }) { userErrors { code message path } } }",
        "usr",
    ),
    (
        "mutation($id: ID!) { identityProviderChange(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "idp",
    ),
    (
        "mutation($id: ID!) { identityProviderRemove(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "idp",
    ),
    ("query($id: ID!) { auditEntries(filter: { actorIds: [$id] }) { totalCount nodes { id } } }", "usr"),
    ("query($id: ID!) { auditEntries(filter: { patientIds: [$id] }) { totalCount nodes { id } } }", "pat"),
    ("query($id: ID!) { auditEntries(filter: { objectId: $id }) { totalCount nodes { action } } }", "pat"),
    ("query($id: ID!) { auditEntries(filter: { sessionId: $id }) { totalCount nodes { id } } }", "ses"),
    (
        "mutation($id: ID!) { disclosureRecord(input: { patientId: $id, disclosedAt: \"2026-06-01T10:00:00Z\", purpose: RESEARCH, recipient: \"X\", description: \"Y\", reason: \"Z\" }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { securityAlertClose(input: { id: $id, ifVersion: 1, resolution: DUPLICATE }) { userErrors { code message path } } }",
        "sal",
    ),
    (
        "mutation($id: ID!) { notificationMarkRead(input: { ids: [$id] }) { marked userErrors { code message path } } }",
        "ntf",
    ),
    (
        "mutation($id: ID!) { notificationProfileSet(input: { patientId: $id, locale: \"de\" }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { channelConsentSet(input: { patientId: $id, channel: SMS, allowed: true }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { notificationRetry(input: { id: $id }) { userErrors { code message path } } }",
        "ntf",
    ),
    (
        "mutation($id: ID!) { pushDeviceRemove(input: { id: $id }) { userErrors { code message path } } }",
        "psh",
    ),
    // These ask for a second factor first; tests/it/operations.rs tries them with one.
    (
        "mutation($id: ID!) { apiClientRotateSecret(input: { id: $id }) { userErrors { code message path } } }",
        "cli",
    ),
    (
        "mutation($id: ID!) { apiClientRetire(input: { id: $id }) { userErrors { code message path } } }",
        "cli",
    ),
    (
        "mutation($id: ID!) { passkeyRename(input: { id: $id, name: \"A\" }) { userErrors { code message path } } }",
        "pky",
    ),
    ("mutation($id: ID!) { passkeyRemove(input: { id: $id }) { userErrors { code message path } } }", "pky"),
    (
        "mutation($id: ID!) { userResetSecondFactors(input: { userId: $id }) { userErrors { code message path } } }",
        "usr",
    ),
    (
        "mutation($id: ID!) { taskClaim(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "tsk",
    ),
    (
        "mutation($id: ID!) { taskStart(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "tsk",
    ),
    (
        "mutation($id: ID!) { taskResume(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "tsk",
    ),
    (
        "mutation($id: ID!) { taskHold(input: { id: $id, ifVersion: 1, reason: \"x\" }) { userErrors { code message path } } }",
        "tsk",
    ),
    (
        "mutation($id: ID!) { taskReject(input: { id: $id, ifVersion: 1, reason: \"x\" }) { userErrors { code message path } } }",
        "tsk",
    ),
    (
        "mutation($id: ID!) { taskComplete(input: { id: $id, ifVersion: 1, outcome: DONE }) { userErrors { code message path } } }",
        "tsk",
    ),
    (
        "mutation($id: ID!) { taskCancel(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "tsk",
    ),
    (
        "mutation($id: ID!) { taskAssign(input: { id: $id, ifVersion: 1, to: { role: \"nurse\" } }) { userErrors { code message path } } }",
        "tsk",
    ),
    (
        "mutation($id: ID!) { taskCreate(input: { code: \"CALL\", patientId: $id }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { taskCreate(input: { code: \"CALL\", encounterId: $id }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { taskCreate(input: { code: \"CALL\", focusId: $id }) { userErrors { code message path } } }",
        "con",
    ),
    (
        "mutation($id: ID!) { taskCreate(input: { code: \"CALL\", ownerId: $id }) { userErrors { code message path } } }",
        "usr",
    ),
    ("query($id: ID!) { task(id: $id) { id } }", "tsk"),
    (
        "mutation($id: ID!) { alertAcknowledge(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "alt",
    ),
    (
        "mutation($id: ID!) { alertResolve(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "alt",
    ),
    (
        "mutation($id: ID!) { alertOverride(input: { id: $id, ifVersion: 1, reason: NOT_APPLICABLE }) { userErrors { code message path } } }",
        "alt",
    ),
    (
        "mutation($id: ID!) { ruleTest(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "rul",
    ),
    (
        "mutation($id: ID!) { ruleActivate(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "rul",
    ),
    (
        "mutation($id: ID!) { ruleRetire(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "rul",
    ),
    (
        "mutation($id: ID!) { workflowActivate(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "wfd",
    ),
    (
        "mutation($id: ID!) { workflowRetire(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "wfd",
    ),
    (
        "mutation($id: ID!) { workflowCancel(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "wfi",
    ),
    (
        "mutation($id: ID!) { workflowStart(input: { code: \"none\", patientId: $id }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { workflowStart(input: { code: \"none\", encounterId: $id }) { userErrors { code message path } } }",
        "enc",
    ),
    ("query($id: ID!) { alert(id: $id) { id } }", "alt"),
    ("query($id: ID!) { rule(id: $id) { id } }", "rul"),
    ("query($id: ID!) { workflowInstance(id: $id) { id } }", "wfi"),
    ("query($id: ID!) { decisionSupport(encounterId: $id) { result } }", "enc"),
    ("query($id: ID!) { alerts(filter: { patient: { eq: $id } }) { totalCount nodes { id } } }", "pat"),
    ("query($id: ID!) { tasks(filter: { patient: { eq: $id } }) { totalCount nodes { id } } }", "pat"),
    (
        "mutation($id: ID!) { encounterCreate(input: { patientId: $id }) { userErrors { code message path } } }",
        "pat",
    ),
    (
        "mutation($id: ID!) { encounterCreate(input: { appointmentId: $id }) { userErrors { code message path } } }",
        "apt",
    ),
    (
        "mutation($id: ID!) { encounterCreate(input: { patientId: \"PAT\", practitionerId: $id }) { userErrors { code message path } } }",
        "pra",
    ),
    (
        "mutation($id: ID!) { encounterCreate(input: { patientId: \"PAT\", facilityId: $id }) { userErrors { code message path } } }",
        "fac",
    ),
    (
        "mutation($id: ID!) { encounterCheckIn(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { encounterTriage(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { encounterStart(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { encounterHold(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { encounterResume(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { encounterCancel(input: { id: $id, ifVersion: 1, reason: \"x\" }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { encounterReopen(input: { id: $id, ifVersion: 1, reason: \"x\" }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { encounterParticipantAdd(input: { id: $id, ifVersion: 1, practitionerId: \"PRA\", role: CONSULTANT }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { encounterParticipantAdd(input: { id: \"ENC\", ifVersion: 1, practitionerId: $id, role: CONSULTANT }) { userErrors { code message path } } }",
        "pra",
    ),
    (
        "mutation($id: ID!) { encounterParticipantEnd(input: { id: $id, ifVersion: 1, practitionerId: \"PRA\", role: CONSULTANT }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { encounterParticipantEnd(input: { id: \"ENC\", ifVersion: 1, practitionerId: $id, role: CONSULTANT }) { userErrors { code message path } } }",
        "pra",
    ),
    (
        "mutation($id: ID!) { assessmentRecord(input: { id: $id, ifVersion: 1, text: \"x\" }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { assessmentRecord(input: { id: \"ENC\", ifVersion: 1, diagnoses: [{ code: \"I10\", rank: 1, conditionId: $id }] }) { userErrors { code message path } } }",
        "con",
    ),
    (
        "mutation($id: ID!) { planRecord(input: { id: $id, ifVersion: 1, text: \"x\" }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { encounterClose(input: { id: $id, ifVersion: 1 }) { userErrors { code message path } } }",
        "enc",
    ),
    (
        "mutation($id: ID!) { vitalsRecord(input: { id: $id, heartRate: { value: \"72\", unit: \"/min\" } }) { userErrors { code message path } } }",
        "enc",
    ),
];

/// One object of each kind that can be made through the API.
async fn objects(server: &TestServer, slug: &str) -> HashMap<&'static str, String> {
    let owner = server.person(slug, "owner").await;
    let (facility, practitioner) = (owner.facility("MAIN").await, owner.clinician("Osei").await);
    let patient = owner.register("Ada", "Quill", "1990-01-02").await;
    let first = |data: &Value, path: &str| data.pointer(path).unwrap().as_str().unwrap().to_owned();
    let room = owner.ask(&format!("mutation {{ roomAdd(input: {{ facilityId: \"{facility}\", name: \"A\" }}) {{ room {{ id }} }} }}"), json!({})).await;
    let related = owner.ask(&format!("mutation {{ relatedPersonAdd(input: {{ patientId: \"{patient}\", relationship: {{ text: \"mother\" }}, name: {{ given: [\"Eva\"], family: \"Quill\" }} }}) {{ relatedPerson {{ id }} }} }}"), json!({})).await;
    let booked = owner.ask(&format!("mutation {{ appointmentBook(input: {{ patientId: \"{patient}\", practitionerId: \"{practitioner}\", type: PHONE, startsAt: \"2027-04-01T10:00:00Z\" }}) @idempotent(key: \"first\") {{ appointment {{ id }} }} }}"), json!({})).await;
    let device = owner.ask(&format!("mutation {{ deviceAdd(input: {{ facilityId: \"{facility}\", kind: \"ECG\", name: \"A\" }}) {{ device {{ id }} }} }}"), json!({})).await;
    let kind = owner.ask("{ visitKinds { id } }", json!({})).await;
    let templates = owner.ask("{ documentTemplates { id } }", json!({})).await;
    let template = first(&templates, "/documentTemplates/0/id");
    let drafted = owner.ask(&format!("mutation {{ documentDraft(input: {{ patientId: \"{patient}\", templateId: \"{template}\" }}) {{ document {{ id }} }} }}"), json!({})).await;
    let visit = owner.ask(&format!("mutation {{ encounterCreate(input: {{ patientId: \"{patient}\" }}) {{ encounter {{ id }} }} }}"), json!({})).await;
    HashMap::from([
        ("ntp", template),
        ("doc", first(&drafted, "/documentDraft/document/id")),
        ("fac", facility),
        ("pra", practitioner),
        ("pat", patient.clone()),
        ("any", patient),
        ("roo", first(&room, "/roomAdd/room/id")),
        ("rel", first(&related, "/relatedPersonAdd/relatedPerson/id")),
        ("apt", first(&booked, "/appointmentBook/appointment/id")),
        ("dev", first(&device, "/deviceAdd/device/id")),
        ("vst", first(&kind, "/visitKinds/0/id")),
        ("enc", first(&visit, "/encounterCreate/encounter/id")),
    ])
}

#[tokio::test]
async fn a_foreign_id_answers_exactly_like_one_that_never_was() -> Result<()> {
    let server = two_clinics().await?;
    let (own, foreign) = (objects(&server, "northside").await, objects(&server, "harbor").await);
    let owner = server.proven("northside", "owner").await;
    for (query, kind) in WITH_AN_ID {
        let query = query
            .replace("PRA", &own["pra"])
            .replace("PAT", &own["pat"])
            .replace("FAC", &own["fac"])
            .replace("APT", &own["apt"])
            .replace("NTP", &own["ntp"])
            .replace("ENC", &own["enc"]);
        // Of some kinds none is made here: a patient's digits do as well.
        let prefix = if *kind == "any" { "pat" } else { kind };
        let foreign = foreign
            .get(kind)
            .cloned()
            .unwrap_or_else(|| foreign["pat"].replace("pat_", &format!("{prefix}_")));
        let unknown = format!("{prefix}_01jd3k5n8re6ktp1rb6z9q4x2m");
        let answers = [
            owner.send(&query, json!({ "id": foreign }), &[]).await,
            owner.send(&query, json!({ "id": unknown }), &[]).await,
        ];
        let [foreign, unknown] = answers.map(|mut answer| {
            if !answer.body["errors"].is_null() {
                answer.body["errors"][0]["extensions"]["requestId"] = Value::Null;
            }
            // What is left to spend depends on when it was asked, not on what.
            if let Some(cost) = answer.body.pointer_mut("/extensions/cost/throttleStatus") {
                *cost = Value::Null;
            }
            (answer.status, answer.body)
        });
        assert_eq!(foreign, unknown, "{query}");
        let text = foreign.1.to_string();
        assert!(!text.contains("INTERNAL") && !text.contains("Quill"), "{query}: {text}");
    }
    Ok(())
}

#[test]
fn every_argument_that_takes_an_id_is_among_those_tried() {
    let schema = include_str!("../../schema.graphql");
    let mut inside = "";
    let inputs = schema.lines().filter(|line| {
        if !line.starts_with('\t') {
            inside = line.split(' ').next().unwrap_or_default();
        }
        let takes_an_id = ["ID", "ID!", "[ID!]", "[ID!]!"]
            .iter()
            .any(|ty| line.trim_end_matches(',').ends_with(&format!(": {ty}")));
        // Fields of inputs, and arguments, which are indented twice.
        takes_an_id && (inside == "input" || line.starts_with("\t\t"))
    });
    // A new argument belongs into WITH_AN_ID; then this number grows.
    // Those of subscriptions are tried in `live`.
    assert_eq!(inputs.count(), 245);
}

#[tokio::test]
async fn a_cursor_opens_only_at_its_own_clinic() -> Result<()> {
    let server = two_clinics().await?;
    let (north, harbor) = (server.person("northside", "owner").await, server.person("harbor", "owner").await);
    for owner in [&north, &harbor] {
        owner.register("Ada", "Quill", "1990-01-02").await;
        owner.register("Bea", "Rook", "1991-01-02").await;
    }
    let query =
        "query($after: String) { patients(first: 1, after: $after) { nodes { id } pageInfo { endCursor } } }";
    let cursor =
        harbor.ask(query, json!({ "after": null })).await["patients"]["pageInfo"]["endCursor"].clone();
    assert!(harbor.send(query, json!({ "after": cursor }), &[]).await.body["errors"].is_null());
    let answer = north.send(query, json!({ "after": cursor }), &[]).await;
    assert_eq!(answer.code(), "BAD_USER_INPUT");
    Ok(())
}

async fn pool(installation: &TestInstallation, connections: usize) -> Result<Pool> {
    let control = Control::connect(&installation.url, &*installation.keys).await?;
    let limits = PoolLimits { connections, wait: Duration::from_secs(60), ..PoolLimits::default() };
    Ok(Pool::new(control, limits))
}

#[tokio::test]
async fn postgres_refuses_another_clinics_schema() -> Result<()> {
    let installation = TestInstallation::new().await?;
    let (a, b) = (Arc::new(installation.provision("a").await?), installation.provision("b").await?);
    let db = TenantDb::new(pool(&installation, 1).await?, a);
    let denied = |error: sea_orm::DbErr| sqlstate(&error).unwrap_or_else(|| error.to_string());
    let foreign = format!("SELECT id FROM {}.patient", b.schema);
    assert_eq!(denied(db.query_all_raw(sql(foreign)).await.unwrap_err()), "42501");
    for attempt in [
        format!("SELECT set_config('role', '{}', false)", b.schema),
        format!("SELECT set_config('search_path', '{}', false)", b.schema),
        format!("UPDATE pg_settings SET setting = '{}' WHERE name = 'role'", b.schema),
        "DELETE FROM audit_entry".to_owned(),
        "TRUNCATE audit_entry".to_owned(),
        "ALTER TABLE patient ADD COLUMN x int".to_owned(),
        "DROP TABLE patient_token".to_owned(),
        "SELECT * FROM control.tenant".to_owned(),
    ] {
        assert_eq!(denied(db.execute_raw(sql(attempt.clone())).await.unwrap_err()), "42501", "{attempt}");
    }
    // Two statements in one are no statement.
    assert_eq!(
        denied(db.execute_raw(sql(format!("RESET ROLE; SET ROLE {}", b.schema))).await.unwrap_err()),
        "42601"
    );
    assert!(db.execute_unprepared("SELECT 1").await.is_err());
    // And after all of that the connection still is A's.
    assert_eq!(db.query_all_raw(sql("SELECT id FROM patient")).await?.len(), 0);
    Ok(())
}

/// A stream of numbers that need not be random, only uneven.
struct Noise(u64);

impl Noise {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// Clinics, each with one branch named after its schema.
async fn marked(installation: &TestInstallation, clinics: usize) -> Result<Vec<Arc<Tenant>>> {
    let mut tenants = Vec::with_capacity(clinics);
    let mut admin = installation.admin().await?;
    for number in 0..clinics {
        let tenant = installation.provision(&format!("clinic{number}")).await?;
        let marker = format!(
            "INSERT INTO {0}.facility (id, code, name, time_zone) VALUES ('00000000-0000-7000-8000-000000000001', 'M', '{0}', 'UTC')",
            tenant.schema
        );
        admin.execute(sqlx::raw_sql(AssertSqlSafe(marker))).await?;
        tenants.push(Arc::new(tenant));
    }
    Ok(tenants)
}

/// Reads the marker of random clinics from many tasks at once, cancelling, failing and panicking in
/// between, and counts answers and foreign answers.
async fn torture(pool: &Pool, tenants: &[Arc<Tenant>], reads: u64) -> (u64, u64) {
    let (answers, foreign) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let tasks = (0..16_u64).map(|seed| {
        let (pool, tenants) = (pool.clone(), tenants.to_vec());
        let (answers, foreign) = (Arc::clone(&answers), Arc::clone(&foreign));
        tokio::spawn(async move {
            let mut noise = Noise(seed);
            while answers.load(Ordering::Relaxed) < reads {
                let tenant = Arc::clone(&tenants[noise.next(tenants.len() as u64) as usize]);
                let expected = tenant.schema.as_str().to_owned();
                let db = TenantDb::new(pool.clone(), tenant);
                let twist = noise.next(100);
                let patience = Duration::from_micros(noise.next(1500));
                let work = async move {
                    let read =
                        || sql("SELECT name FROM facility WHERE id = '00000000-0000-7000-8000-000000000001'");
                    #[expect(
                        clippy::disallowed_methods,
                        reason = "what is left of an abandoned transaction is the point"
                    )]
                    if twist < 4 {
                        let transaction = db.begin().await.ok()?;
                        transaction.execute_raw(sql("SELECT pg_sleep(0.001)")).await.ok()?;
                        return None;
                    }
                    if twist < 8 {
                        db.execute_raw(sql("SELECT 1 / 0")).await.unwrap_err();
                    }
                    let row = db.query_one_raw(read()).await.ok()??;
                    assert!(twist != 9, "a panic on purpose");
                    row.try_get::<String>("", "name").ok()
                };
                let marker = if twist == 9 {
                    tokio::spawn(work).await.ok().flatten()
                } else if twist < 25 {
                    tokio::time::timeout(patience, work).await.ok().flatten()
                } else {
                    work.await
                };
                if let Some(marker) = marker {
                    answers.fetch_add(1, Ordering::Relaxed);
                    foreign.fetch_add(u64::from(marker != expected), Ordering::Relaxed);
                }
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    (answers.load(Ordering::Relaxed), foreign.load(Ordering::Relaxed))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_interleaved_reads_on_four_connections_never_see_a_foreign_row() -> Result<()> {
    let installation = TestInstallation::new().await?;
    let tenants = marked(&installation, 20).await?;
    let (answers, foreign) = torture(&pool(&installation, 4).await?, &tenants, 100_000).await;
    assert!(answers >= 100_000);
    assert_eq!(foreign, 0);
    Ok(())
}

/// The same question to a pool that sets the path on a connection and forgets it there: the classic leak.
#[tokio::test]
async fn the_torture_would_see_a_leak() -> Result<()> {
    let installation = TestInstallation::new().await?;
    let tenants = marked(&installation, 4).await?;
    let leaky = sqlx::postgres::PgPoolOptions::new().max_connections(2).connect_lazy(&installation.url)?;
    let mut foreign = 0;
    let reads = (0..200).map(|number: usize| {
        let (leaky, tenant) = (leaky.clone(), Arc::clone(&tenants[number % 4]));
        tokio::spawn(async move {
            leaky
                .execute(sqlx::raw_sql(AssertSqlSafe(format!("SET search_path = {}", tenant.schema))))
                .await
                .unwrap();
            let marker: String =
                sqlx::query_scalar("SELECT name FROM facility").fetch_one(&leaky).await.unwrap();
            marker != tenant.schema.as_str()
        })
    });
    for read in reads.collect::<Vec<_>>() {
        foreign += u32::from(read.await?);
    }
    assert!(foreign > 0);
    Ok(())
}

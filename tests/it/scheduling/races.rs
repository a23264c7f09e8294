//! Many who want the same: exactly as much is booked as there is.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use praxis_domain::scheduling;
use serde_json::{Value, json};
use sqlx::Row;

use super::{APPOINTMENT, Clinic, text};
use crate::support::people::Person;

const CLIENTS: usize = 64;

/// How many slots are raced for: a thousand where `PRAXIS_TEST_SLOTS` says so, fewer in everyday runs.
fn slots() -> usize {
    std::env::var("PRAXIS_TEST_SLOTS").ok().and_then(|slots| slots.parse().ok()).unwrap_or(60)
}

struct Race {
    clinic: Clinic,
    rooms: Vec<String>,
    devices: Vec<String>,
    people: Vec<String>,
}

impl Race {
    /// Four clinicians, a room for two at a time and one for one, and a device for three.
    async fn new() -> Result<Self> {
        let clinic = Clinic::new().await?;
        let (mut rooms, mut devices, mut people) =
            (Vec::new(), Vec::new(), vec![clinic.practitioner.clone()]);
        {
            let owner = clinic.person("owner").await;
            for (name, capacity) in [("Two", 2), ("One", 1)] {
                let room = json!({ "facilityId": clinic.facility, "name": name });
                let room = text(&owner.run("roomAdd", "room { id }", room).await["room"]["id"]);
                let set = json!({ "id": room, "ifVersion": 1, "capacity": capacity, "overbookLimit": 0 });
                owner.run("resourceCapacitySet", "userErrors { code }", set).await;
                rooms.push(room);
            }
            let device = json!({ "facilityId": clinic.facility, "kind": "ECG", "name": "One" });
            let device = text(&owner.run("deviceAdd", "device { id }", device).await["device"]["id"]);
            let set = json!({ "id": device, "ifVersion": 1, "capacity": 3, "overbookLimit": 0 });
            owner.run("resourceCapacitySet", "userErrors { code }", set).await;
            devices.push(device);
            for name in ["Abara", "Bell", "Cole"] {
                people.push(owner.clinician(name).await);
            }
        }
        Ok(Self { clinic, rooms, devices, people })
    }

    fn start(&self, slot: usize) -> String {
        let first: DateTime<Utc> = format!("{}T00:00:00Z", self.clinic.day).parse().unwrap();
        (first + TimeDelta::minutes(15 * i64::try_from(slot).unwrap())).to_rfc3339()
    }

    /// Lets some holds run out all the time, and removes those that have, as the job does.
    async fn let_holds_run_out(&self) -> Result<()> {
        let mut sql = self.clinic.server.installation.tenant_connection("northside").await?;
        loop {
            let run_out = "UPDATE appointment SET hold_expires_at = now() - interval '1 second' WHERE id IN
                (SELECT id FROM appointment WHERE status = 'PENDING' AND hold_expires_at > now() AND random() < 0.3 FOR UPDATE SKIP LOCKED)";
            sqlx::query(run_out).execute(&mut sql).await?;
            let op = self.clinic.server.as_system("northside").await?;
            match scheduling::expire_holds(&op).await? {
                0 => op.rollback().await?,
                _ => op.commit().await?,
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// How often two visits share a lane, and the most visits at once for each kind of resource.
    async fn judged(&self) -> Result<(i64, BTreeMap<String, i64>)> {
        let mut sql = self.clinic.server.installation.tenant_connection("northside").await?;
        let shared = "SELECT count(*) FROM appointment_resource a JOIN appointment_resource b
             ON a.appointment_id < b.appointment_id AND a.resource_id = b.resource_id AND a.lane = b.lane
             AND a.blocking AND b.blocking AND a.busy_from < b.busy_until AND b.busy_from < a.busy_until";
        let shared: i64 = sqlx::query_scalar(shared).fetch_one(&mut sql).await?;
        let most = "SELECT resource_id::text AS resource, max(n) AS most FROM (
            SELECT resource_id, busy_from, count(*) AS n FROM appointment_resource WHERE blocking GROUP BY 1, 2) x GROUP BY 1";
        let rows = sqlx::query(most).fetch_all(&mut sql).await?;
        Ok((shared, rows.iter().map(|row| (row.get("resource"), row.get("most"))).collect()))
    }
}

async fn run(person: &Person<'_>, mutation: &str, input: Value) -> Value {
    let payload = person.run(mutation, APPOINTMENT, input).await;
    for error in payload["userErrors"].as_array().unwrap() {
        let code = error["code"].as_str().unwrap();
        assert!(
            ["SCHEDULING_CONFLICT", "LOCKED", "VERSION_CONFLICT", "INVALID_TRANSITION"].contains(&code),
            "{payload}"
        );
    }
    payload
}

/// Every slot is wanted by several clients, some of whom only hold it, while holds run out all the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_clients_exactly_one_gets_each_slot_while_holds_run_out() -> Result<()> {
    let race = Race::new().await?;
    let desk = race.clinic.person("receptionist").await;
    let (slots, start) = (slots(), Instant::now());
    let (booked, tried) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let clients = join_all((0..CLIENTS).map(|client| {
        let (race, desk, booked, tried) = (&race, &desk, &booked, &tried);
        async move {
            // Each client walks through an eighth of the slots from a place of its own; eight want each slot.
            for step in 0..slots.div_ceil(8) {
                let visit = race.clinic.visit_at(
                    &race.start((client * slots / CLIENTS + step) % slots),
                    json!({ "durationMinutes": 15 }),
                );
                tried.fetch_add(1, Ordering::Relaxed);
                if (client + step) % 4 == 0 {
                    let held =
                        run(desk, "appointmentHold", json!({ "visit": visit, "holdMinutes": 1 })).await;
                    let held = held["appointment"].clone();
                    if held.is_object() && step % 8 < 4 {
                        let input = json!({ "id": held["id"], "ifVersion": held["version"] });
                        let taken = run(desk, "appointmentHoldConfirm", input).await;
                        booked.fetch_add(usize::from(taken["appointment"].is_object()), Ordering::Relaxed);
                    }
                } else {
                    let taken = run(desk, "appointmentBook", visit).await;
                    booked.fetch_add(usize::from(taken["appointment"].is_object()), Ordering::Relaxed);
                }
            }
        }
    }));
    tokio::select! {
        _ = clients => {}
        ended = race.let_holds_run_out() => ended?,
    }
    // What was only held is free once the holds have run out: the rest is booked by the last round.
    race.clinic.server.clock.advance(TimeDelta::minutes(2));
    for slot in 0..slots {
        let visit = race.clinic.visit_at(&race.start(slot), json!({ "durationMinutes": 15 }));
        let taken = run(&desk, "appointmentBook", visit).await;
        booked.fetch_add(usize::from(taken["appointment"].is_object()), Ordering::Relaxed);
    }
    let (booked, tried) = (booked.into_inner(), tried.into_inner() + slots);
    println!("{CLIENTS} clients, {slots} slots: {tried} attempts, {booked} booked in {:?}", start.elapsed());
    assert_eq!(booked, slots, "exactly the capacity");
    let (shared, most) = race.judged().await?;
    assert_eq!(shared, 0);
    assert!(most.values().all(|most| *most == 1), "{most:?}");
    Ok(())
}

/// The same for what several share: a visit takes a clinician, a room and a device, whichever are named, in any order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rooms_and_devices_are_booked_up_to_their_capacity_and_nobody_waits_in_a_circle() -> Result<()> {
    let race = Race::new().await?;
    let desk = race.clinic.person("receptionist").await;
    let (slots, start) = ((slots() / 8).max(20), Instant::now());
    let tried = AtomicUsize::new(0);
    join_all((0..CLIENTS).map(|client| {
        let (race, desk, tried) = (&race, &desk, &tried);
        async move {
            for step in 0..slots.div_ceil(4) {
                let slot = (client * slots / CLIENTS + step) % slots;
                for room in 0..2 {
                    let more = json!({ "practitionerId": race.people[(client + step) % 4], "roomId": race.rooms[(room + client) % 2],
                        "deviceIds": race.devices, "durationMinutes": 15 });
                    tried.fetch_add(1, Ordering::Relaxed);
                    run(desk, "appointmentBook", race.clinic.visit_at(&race.start(slot), more)).await;
                }
            }
        }
    }))
    .await;
    // Whoever is left tries every way there is: afterwards nothing more fits.
    let desk = race.clinic.person("receptionist").await;
    for slot in 0..slots {
        for who in &race.people {
            for room in &race.rooms {
                let more = json!({ "practitionerId": who, "roomId": room, "deviceIds": race.devices, "durationMinutes": 15 });
                run(&desk, "appointmentBook", race.clinic.visit_at(&race.start(slot), more)).await;
            }
        }
    }
    let (shared, most) = race.judged().await?;
    assert_eq!(shared, 0);
    let mut sql = race.clinic.server.installation.tenant_connection("northside").await?;
    let counts = "SELECT kind, count(*) AS n FROM appointment_resource WHERE blocking GROUP BY kind";
    let counts: BTreeMap<String, i64> = sqlx::query(counts)
        .fetch_all(&mut sql)
        .await?
        .iter()
        .map(|row| (row.get("kind"), row.get("n")))
        .collect();
    println!(
        "{CLIENTS} clients, {slots} slots × 3: {} attempts, {counts:?} in {:?}",
        tried.into_inner(),
        start.elapsed()
    );
    let full = i64::try_from(slots * 3)?;
    assert_eq!(
        (counts["ROOM"], counts["DEVICE"]),
        (full, full),
        "three places in rooms, and a device for three"
    );
    assert_eq!(most.values().copied().max(), Some(3));
    let deadlocks: i64 =
        sqlx::query_scalar("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
            .fetch_one(&mut sql)
            .await?;
    assert_eq!(deadlocks, 0);
    Ok(())
}

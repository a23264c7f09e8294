//! The clinic's calendar: who and what is booked when, and what happens when that changes.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that meets something else fails here"
)]

mod feed;
mod holds;
mod queue;
mod races;
mod reminders;
mod resources;
mod series;
mod slots;
mod waiting;
mod walks;

use anyhow::Result;
use chrono::{DateTime, Days, Utc, Weekday};
use serde_json::{Value, json};

use crate::support::{people::Person, server::TestServer};

/// A clinic with one branch, one clinician and one patient.
struct Clinic {
    server: TestServer,
    facility: String,
    practitioner: String,
    patient: String,
    /// A Monday a month or so ahead.
    day: String,
}

impl Clinic {
    async fn new() -> Result<Self> {
        Self::at("UTC").await
    }

    /// The same in another zone.
    async fn at(zone: &str) -> Result<Self> {
        let server = TestServer::new(&[("northside", "owner@praxis.test", "owner")]).await?;
        let (facility, practitioner, patient) = {
            let owner = server.person("northside", "owner").await;
            let branch = json!({ "code": "MAIN", "name": "Main", "timeZone": zone });
            let branch = owner.run("facilityAdd", "facility { id }", branch).await;
            let patient = owner.register("Ada", "Quill", "1990-01-02").await;
            (text(&branch["facility"]["id"]), owner.clinician("Osei").await, patient)
        };
        let today = server.installation.clock.now().date_naive();
        let day = (today.week(Weekday::Mon).first_day() + Days::new(35)).to_string();
        Ok(Self { server, facility, practitioner, patient, day })
    }

    async fn person(&self, role: &str) -> Person<'_> {
        self.server.person("northside", role).await
    }

    /// A visit at a time of the day, with more fields.
    fn visit(&self, time: &str, more: Value) -> Value {
        self.visit_at(&format!("{}T{time}:00Z", self.day), more)
    }

    fn visit_at(&self, starts_at: &str, more: Value) -> Value {
        let mut input = json!({ "patientId": self.patient, "practitionerId": self.practitioner,
            "facilityId": self.facility, "type": "IN_PERSON", "startsAt": starts_at });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    }

    /// Weekly hours of the clinician, from Monday to Sunday.
    async fn hours(&self, owner: &Person<'_>, starts: &str, ends: &str) {
        let day = |day: &str| json!({ "weekday": day, "startsLocal": starts, "endsLocal": ends });
        let days = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"];
        let hours: Vec<_> = days.iter().map(|name| day(name)).collect();
        let input =
            json!({ "practitionerId": self.practitioner, "facilityId": self.facility, "hours": hours });
        let set = owner.run("availabilitySet", "userErrors { message }", input).await;
        assert_eq!(set["userErrors"], json!([]));
    }

    /// Lets a worker do whatever is due, until nothing is. How much was done.
    async fn work(&self) -> Result<usize> {
        self.server.work().await
    }

    /// Moves time on to an instant, for the server.
    fn advance_to(&self, instant: &str) {
        self.server.clock.advance_to(instant.parse::<DateTime<Utc>>().unwrap());
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

const APPOINTMENT: &str =
    "appointment { id version status overbooked holdExpiresAt allowedActions cancelledLate devices { id } }
    userErrors { code path message ... on SchedulingConflictError { conflicts { id } nextFreeSlots }
        ... on InvalidTransitionError { currentStatus allowedActions } }";

/// Books and hands out the appointment, which there must be.
async fn booked(person: &Person<'_>, input: Value) -> Value {
    let payload = person.run("appointmentBook", APPOINTMENT, input).await;
    assert_eq!(payload["userErrors"], json!([]), "{payload}");
    payload["appointment"].clone()
}

/// The code of the first thing that somebody has to put right.
fn code(payload: &Value) -> &str {
    payload["userErrors"][0]["code"].as_str().unwrap_or_default()
}

//! The story: who does what at a clinic, and what comes about between the calls.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets something else fails here"
)]

use anyhow::Result;
use chrono::{DateTime, Days, NaiveTime, SecondsFormat, TimeDelta, Utc, Weekday};
use praxis_domain::audit;
use praxis_entity::ids::UserId;
use praxis_platform::audit::Waiting;
use serde_json::json;

use super::{
    examples::{Call, access, administration, factors, patients, scheduling, settings, visits, work},
    story::Story,
};
use crate::{
    audit::Clinic as Log,
    factors::{
        App, HOST, ORIGIN,
        authenticator::{Authenticator, Kind},
    },
    notifications,
    support::{
        people::Person,
        server::TestServer,
        twilio::{Treat, Twilio},
    },
};

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

const SLUG: &str = "northside";

/// A clinic about which a story is told.
struct Clinic<'a> {
    server: &'a TestServer,
    twilio: &'a Twilio,
    /// Who does what nobody else has to do, and has shown a second factor.
    owner: Person<'a>,
    story: &'a mut Story,
}

/// Tells a story about a clinic from its beginning to its end.
pub async fn tell(story: &mut Story, server: &TestServer, twilio: &Twilio) -> Result<()> {
    let owner = server.proven(SLUG, "owner").await;
    let mut clinic = Clinic { server, twilio, owner, story };
    clinic.begin().await;
    clinic.owner(patients::CALLS).await?;
    clinic.owner(visits::CALLS).await?;
    clinic.cosigned().await?;
    clinic.approved().await?;
    clinic.alerted().await?;
    clinic.owner(scheduling::CALLS).await?;
    clinic.offered().await?;
    clinic.given_up().await?;
    // There when the emergency is declared: whichever server seals the log first writes to all who are to know.
    let officer = server.proven(SLUG, "privacy_officer").await;
    clinic.owner(access::CALLS).await?;
    clinic.reviewed(&officer).await?;
    clinic.owner(work::CALLS).await?;
    clinic.owner(settings::CALLS).await?;
    clinic.factors().await?;
    clinic.owner(administration::CALLS).await?;
    clinic.linked().await?;
    sealed(server).await
}

/// Waits until the log is sealed, by whichever server comes first: that is when alerts are raised.
async fn sealed(server: &TestServer) -> Result<()> {
    let mut sql = server.installation.tenant_connection(SLUG).await?;
    loop {
        audit::keep(&Log::system_of(&server.app), &Waiting::default()).await?;
        if sqlx::query_scalar("SELECT NOT EXISTS (SELECT FROM audit_pending)").fetch_one(&mut sql).await? {
            return Ok(());
        }
    }
}

impl Clinic<'_> {
    /// What the owner does.
    async fn owner(&mut self, calls: &[Call]) -> Result<()> {
        self.story.chapter(&self.owner, calls).await
    }

    /// Who and what there is beforehand, and times.
    async fn begin(&mut self) {
        let now = self.server.installation.clock.now();
        // On the same day in any case: not having come is taken back on the same day only.
        let past = (now - TimeDelta::hours(1)).max(now.date_naive().and_time(NaiveTime::MIN).and_utc());
        let monday = (now.date_naive().week(Weekday::Mon).first_day() + Days::new(35)).and_hms_opt(14, 0, 0);
        let monday = monday.unwrap().and_utc();
        for (name, at) in [("past", past), ("monday", monday), ("latest", monday + TimeDelta::days(30))] {
            self.story.keep(name, time(at));
        }
        // At no time while the story is told.
        for (name, hours) in [("quietFrom", 12), ("quietUntil", 13)] {
            self.story.keep(name, (now + TimeDelta::hours(hours)).format("%H:%M").to_string());
        }
        let seen =
            self.owner.ask("{ viewer { id } visitKinds { id } documentTemplates { id key } }", json!({}));
        let seen = seen.await;
        let templates = seen["documentTemplates"].as_array().unwrap();
        let soap = templates.iter().find(|template| template["key"] == "soap").unwrap();
        self.story.keep("me", seen["viewer"]["id"].clone());
        self.story.keep("kind", seen["visitKinds"][0]["id"].clone());
        self.story.keep("soap", soap["id"].clone());
    }

    /// A nurse signs what waits for another signature.
    async fn cosigned(&mut self) -> Result<()> {
        let nurse = self.server.person(SLUG, "nurse").await;
        let seen = nurse.ask("{ viewer { id sessions { id } } }", json!({})).await["viewer"].clone();
        self.story.keep("nurse", seen["id"].clone());
        self.story.keep("session", seen["sessions"][0]["id"].clone());
        self.story.chapter(&nurse, visits::SIGNED).await?;
        self.owner(visits::COSIGNED).await
    }

    /// Nobody approves a rule of their own.
    async fn approved(&mut self) -> Result<()> {
        let physician = self.server.person(SLUG, "physician").await;
        self.story.chapter(&physician, work::WRITTEN).await?;
        self.owner(work::APPROVED).await
    }

    /// The rule is asked about two measurements.
    async fn alerted(&mut self) -> Result<()> {
        for _ in 0..2 {
            self.owner(visits::ALARMING).await?;
            self.server.work().await?;
        }
        let visit = self.story.kept("visit");
        let raised = format!("{{ alerts(filter: {{ encounter: {{ eq: {visit} }} }}) {{ nodes {{ id }} }} }}");
        let raised = self.owner.ask(&raised, json!({})).await["alerts"]["nodes"].clone();
        self.story.keep("alert", raised[0]["id"].clone());
        self.story.keep("otherAlert", raised[1]["id"].clone());
        self.owner(visits::ALERTED).await
    }

    /// Somebody who waits is offered a time that became free, and then another one.
    async fn offered(&mut self) -> Result<()> {
        self.owner(scheduling::FREED).await?;
        self.server.work().await?;
        self.owner(scheduling::DECLINED).await?;
        let monday: DateTime<Utc> = self.story.kept("monday").as_str().unwrap().parse()?;
        self.story.keep("monday", time(monday + TimeDelta::weeks(1)));
        self.owner(scheduling::FREED).await?;
        self.server.work().await?;
        self.owner(scheduling::ACCEPTED).await
    }

    /// There is no such telephone.
    async fn given_up(&mut self) -> Result<()> {
        self.twilio.plan(&[Treat::Refuse(400, 21211); 50]);
        notifications::send_all(self.server).await?;
        let dead = "{ notificationDeliveries(filter: { status: DEAD }) { nodes { id } } }";
        let dead = self.owner.ask(dead, json!({})).await["notificationDeliveries"]["nodes"][0]["id"].clone();
        self.story.keep("notice", dead);
        self.owner(settings::GIVEN_UP).await
    }

    /// An emergency was declared, of which the log tells as it is sealed.
    async fn reviewed(&mut self, officer: &Person<'_>) -> Result<()> {
        sealed(self.server).await?;
        let open = officer.ask("{ securityAlerts(status: OPEN) { nodes { id kind } } }", json!({})).await;
        let open = open["securityAlerts"]["nodes"].as_array().unwrap();
        let raised = open.iter().find(|alert| alert["kind"] == "BREAK_GLASS_USE").unwrap();
        self.story.keep("securityAlert", raised["id"].clone());
        self.story.chapter(officer, access::REVIEWED).await
    }

    /// Somebody who signed in just now gets second factors, and loses them.
    async fn factors(&mut self) -> Result<()> {
        let colleague = self.server.person(SLUG, "receptionist").await;
        let id = colleague.ask("{ viewer { id } }", json!({})).await["viewer"]["id"].clone();
        self.story.keep("colleague", id);
        self.story.chapter(&colleague, factors::APP).await?;
        let app = App::new(self.story.kept("secret").as_str().unwrap());
        self.story.keep("code", app.code(self.server));
        self.story.chapter(&colleague, factors::CODES).await?;
        let mut authenticator = Authenticator::new(Kind::EdDsa, 1, HOST, ORIGIN);
        let credential = authenticator.create(self.story.kept("options"));
        self.story.keep("credential", credential);
        self.story.chapter(&colleague, factors::PASSKEY).await?;
        self.owner(factors::ADMINISTERED).await
    }

    /// The provider has been visited by two, of whom each was somebody there.
    async fn linked(&mut self) -> Result<()> {
        let mut sql = self.server.installation.tenant_connection(SLUG).await?;
        let link = "INSERT INTO external_identity (provider_id, subject, user_id) SELECT id, $1, $2 FROM identity_provider";
        for (subject, who) in [("0001", "me"), ("0002", "nurse")] {
            let user: UserId = self.story.kept(who).as_str().unwrap().parse()?;
            sqlx::query(link).bind(subject).bind(user.0).execute(&mut sql).await?;
        }
        self.owner(administration::LINKED).await
    }
}

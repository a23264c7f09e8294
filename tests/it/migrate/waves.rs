//! Some clinics first, the rest when those went well; looked at before, tried before, and gone on with.

use std::{sync::Mutex, time::Duration};

use anyhow::Result;
use praxis_fleet::migrate::{Event, Options, Outcome, Selection};
use praxis_migration::Step;
use sqlx::{AssertSqlSafe, Executor};

use super::{clinics, next_version, with_steps};
use crate::support::installation::TestInstallation;

#[tokio::test]
async fn a_gate_that_stays_shut_keeps_the_rest_as_it_was_and_the_run_is_resumed() -> Result<()> {
    let installation = TestInstallation::new().await?;
    clinics(&installation, 8).await?;
    let migrator = next_version(&installation.url);
    let events = Mutex::new(Vec::new());
    let listener = |event: &Event| events.lock().unwrap().push(event.clone());
    let options = Options {
        waves: "canary:2,50%,rest".parse()?,
        gate: Some("test \"$PRAXIS_WAVE\" != 2".to_owned()),
        ..Options::default()
    };
    let report = migrator.up(&*installation.keys, &installation.clock, &options, &listener).await?;
    assert_eq!((report.outcome, report.migrated, report.remaining), (Outcome::Partial, 6, 2));
    let waves: Vec<_> = events
        .lock()
        .unwrap()
        .iter()
        .filter_map(|event| match event {
            Event::Wave { wave, tenants } => Some(format!("{wave}: {tenants}")),
            Event::GateShut { wave, .. } => Some(format!("shut after {wave}")),
            _ => None,
        })
        .collect();
    assert_eq!(waves, ["canary: 2", "2: 4", "shut after 2"]);

    // Nothing but what that run left, though others are behind as well by now.
    installation.provision("late").await?;
    let resume = Selection { resume: report.run, ..Selection::default() };
    let report = migrator
        .up(
            &*installation.keys,
            &installation.clock,
            &Options { selection: resume, ..Options::default() },
            &|_| {},
        )
        .await?;
    assert_eq!((report.outcome, report.migrated), (Outcome::Done, 2));
    let fleet = migrator.fleet().await?;
    assert_eq!(fleet.behind().map(|tenant| tenant.slug.as_str()).collect::<Vec<_>>(), ["late"]);
    let named = Selection { matching: Some("clinic-*".to_owned()), ..Selection::default() };
    let options = Options { selection: named, ..Options::default() };
    assert_eq!(migrator.up(&*installation.keys, &installation.clock, &options, &|_| {}).await?.run, None);
    Ok(())
}

#[tokio::test]
async fn what_would_be_done_is_told_and_tried_and_nothing_is_changed() -> Result<()> {
    let installation = TestInstallation::new().await?;
    let tenants = clinics(&installation, 3).await?;
    let steps = || {
        [
            Step::new("m9997_nickname", "ALTER TABLE patient ADD COLUMN nickname bytea"),
            Step::new(
                "m9998_index",
                "-- praxis: concurrent\nCREATE INDEX CONCURRENTLY patient_by_nickname ON patient (nickname)",
            ),
            Step::new(
                "m9999_one_room",
                "ALTER TABLE room ADD CONSTRAINT room_one CHECK (name = 'One') NOT VALID",
            ),
        ]
    };
    let migrator = with_steps(&installation.url, steps());
    let plan = migrator.plan(&Options::default()).await?;
    let told: Vec<_> = plan
        .steps
        .iter()
        .map(|step| (step.step.as_str(), step.way, step.tenants, step.statements[0].locks[0].mode.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("m9997_nickname", "transaction", 3, "ACCESS EXCLUSIVE"),
            ("m9998_index", "concurrent", 3, "SHARE UPDATE EXCLUSIVE"),
            ("m9999_one_room", "transaction", 3, "ACCESS EXCLUSIVE"),
        ]
    );
    assert_eq!((plan.waves, plan.estimated_seconds), (vec![("1".to_owned(), 3)], None));

    // One clinic has a column of that name already: the rehearsal finds it.
    let mut admin = installation.admin().await?;
    let by_hand = format!("ALTER TABLE {}.patient ADD COLUMN nickname text", tenants[1].schema);
    admin.execute(AssertSqlSafe(by_hand)).await?;
    let rehearsed = migrator.rehearse(&Options::default(), 3, Duration::from_secs(5)).await?;
    let failed: Vec<_> = rehearsed.iter().filter(|step| step.error.is_some()).collect();
    assert_eq!(failed.iter().map(|step| step.tenant.as_str()).collect::<Vec<_>>(), ["clinic-1"]);
    assert_eq!(rehearsed.len(), 2 * 2 + 1);
    let fleet = migrator.fleet().await?;
    assert_eq!(fleet.behind().count(), 3);
    let left = "SELECT count(*) FROM pg_class WHERE relname = 'patient_by_nickname'";
    assert_eq!(sqlx::query_scalar::<_, i64>(left).fetch_one(&mut admin).await?, 0);

    // After a run there is something to estimate from.
    let others = Selection { tenants: vec!["clinic-0".to_owned()], ..Selection::default() };
    let options = Options { selection: others, ..Options::default() };
    migrator.up(&*installation.keys, &installation.clock, &options, &|_| {}).await?;
    assert!(migrator.plan(&Options::default()).await?.estimated_seconds > Some(0.0));
    Ok(())
}

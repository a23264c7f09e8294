//! Several write at once: nothing is counted twice or not at all, and nobody waits for anybody.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use futures::future::{join_all, try_join_all};
use proptest::{collection::vec, prelude::*, sample::select, strategy::ValueTree, test_runner::TestRunner};
use sqlx::{Executor, postgres::PgConnection};

use super::{DIFFERING, clinic, hand, number, run, visits};
use crate::support::server::TestServer;

/// Steps that the machine of appointments allows.
const STEPS: [(&str, &str); 8] = [
    ("BOOKED", "CONFIRMED"),
    ("BOOKED", "ARRIVED"),
    ("BOOKED", "CANCELLED"),
    ("BOOKED", "NO_SHOW"),
    ("NO_SHOW", "BOOKED"),
    ("CONFIRMED", "ARRIVED"),
    ("ARRIVED", "CHECKED_IN"),
    ("CANCELLED", "ENTERED_IN_ERROR"),
];

/// What a writer does with visits of their own: some of them, by a residue.
#[derive(Debug, Clone)]
enum Act {
    Book(usize, i32),
    Move(i32, usize),
    Elsewhere(usize),
    Stand((&'static str, &'static str), usize),
    Remove(usize),
}

/// Acts in one transaction: how it sees the table, and whether it is taken back.
#[derive(Debug, Clone)]
struct Turn {
    acts: Vec<Act>,
    older_view: bool,
    taken_back: bool,
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let act = prop_oneof![
        4 => (1..5_usize, 0..500).prop_map(|(count, day)| Act::Book(count, day)),
        2 => (-60..60, 0..3_usize).prop_map(|(days, some)| Act::Move(days, some)),
        1 => (0..3_usize).prop_map(Act::Elsewhere),
        3 => (select(STEPS.to_vec()), 0..3_usize).prop_map(|(step, some)| Act::Stand(step, some)),
        1 => (0..3_usize).prop_map(Act::Remove),
    ];
    let turn = (vec(act, 1..4), any::<bool>(), prop::bool::weighted(0.15));
    let turn = turn.prop_map(|(acts, older_view, taken_back)| Turn { acts, older_view, taken_back });
    vec(turn, 30..50)
}

impl Act {
    fn sql(&self, by: usize) -> String {
        let own = |some| {
            format!("booked_by = '00000000-0000-7000-8000-{by:012}' AND abs(hashtext(id::text)) % 3 = {some}")
        };
        match self {
            Self::Book(count, day) => {
                let branch = if day % 2 == 0 { "MAIN" } else { "HARBOUR" };
                let insert = visits(branch, "Europe/London", "2027-01-01T08:00:00Z", *count, by);
                insert.replace("(n - 1)", &format!("interval '{day} days' + (n - 1)"))
            }
            Self::Move(days, some) => format!(
                "UPDATE appointment SET starts_at = starts_at + interval '{days} days', ends_at = ends_at + interval '{days} days' WHERE {}
                    AND status IN ('BOOKED', 'CONFIRMED')",
                own(*some)
            ),
            Self::Elsewhere(some) => format!(
                "UPDATE appointment a SET facility_id = f.id FROM facility f WHERE f.id <> a.facility_id AND a.status = 'BOOKED' AND {}",
                own(*some).replace("id::text", "a.id::text")
            ),
            Self::Stand((from, to), some) => {
                format!("UPDATE appointment SET status = '{to}' WHERE status = '{from}' AND {}", own(*some))
            }
            Self::Remove(some) => format!("DELETE FROM appointment WHERE {}", own(*some)),
        }
    }
}

async fn write(mut hand: PgConnection, by: usize, turns: &[Turn]) -> Result<()> {
    for turn in turns {
        let view = if turn.older_view { "REPEATABLE READ" } else { "READ COMMITTED" };
        run(&mut hand, format!("BEGIN ISOLATION LEVEL {view}")).await?;
        for act in &turn.acts {
            run(&mut hand, act.sql(by)).await?;
        }
        run(&mut hand, if turn.taken_back { "ROLLBACK".into() } else { "COMMIT".into() }).await?;
    }
    Ok(())
}

async fn hands(server: &TestServer, count: usize) -> Result<Vec<PgConnection>> {
    try_join_all((0..count).map(|_| hand(server))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_writes_what_the_numbers_are_those_of_the_rows_at_every_moment() -> Result<()> {
    let server = clinic().await?;
    server.person("northside", "owner").await.facility("HARBOUR").await;
    let mut reader = hand(&server).await?;
    // That the patient is known at both is written down once.
    for branch in ["MAIN", "HARBOUR"] {
        run(&mut reader, visits(branch, "Europe/London", "2026-01-01T08:00:00Z", 1, 99)).await?;
    }
    let (mut runner, mut looks) = (TestRunner::default(), 0);
    for _ in 0..3 {
        let plan = vec(turns(), 6).new_tree(&mut runner).unwrap().current();
        let writing = AtomicBool::new(true);
        let writers = hands(&server, plan.len()).await?;
        let writers =
            writers.into_iter().zip(&plan).enumerate().map(|(by, (hand, turns))| write(hand, by, turns));
        let all = async {
            let done = try_join_all(writers).await;
            writing.store(false, Ordering::Relaxed);
            done
        };
        let watch = async {
            while writing.load(Ordering::Relaxed) {
                assert_eq!(number(&mut reader, DIFFERING).await?, 0, "{plan:?}");
                looks += 1;
            }
            anyhow::Ok(())
        };
        let (done, watched) = tokio::join!(all, watch);
        done?;
        watched?;
        assert_eq!(number(&mut reader, DIFFERING).await?, 0, "{plan:?}");
    }
    assert!(looks > 10, "{looks}");
    assert!(number(&mut reader, "SELECT count(*) FROM appointment").await? > 50);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_who_book_at_one_branch_wait_for_nobody() -> Result<()> {
    let server = clinic().await?;
    let mut first = hand(&server).await?;
    let visit = |by| visits("MAIN", "UTC", "2027-05-03T08:00:00Z", 1, by);
    run(&mut first, visit(1)).await?;
    // So many entries of the month that everybody would like to fold them.
    let mut others = hands(&server, 12).await?;
    for other in &mut others {
        run(other, "BEGIN".into()).await?;
        run(other, visit(1)).await?;
    }
    for other in &mut others {
        run(other, "COMMIT".into()).await?;
    }
    assert_eq!(number(&mut first, "SELECT count(*) FROM appointment_count").await?, 13);
    // Nobody commits before all have written, so whoever waits for a writer waits until this
    // fails. Shorter would fail over the moment in which the table's file grows.
    let mut writers = hands(&server, 64).await?;
    let writing = writers.iter_mut().enumerate().map(|(by, writer)| async move {
        writer.execute("SET lock_timeout = '5s'").await?;
        run(writer, "BEGIN".into()).await?;
        run(writer, visit(by)).await
    });
    for written in join_all(writing).await {
        assert_eq!(written?, 1);
    }
    assert_eq!(number(&mut first, DIFFERING).await?, 0);
    assert_eq!(number(&mut first, "SELECT sum(change) FROM appointment_count").await?, 13);
    for writer in &mut writers {
        run(writer, "COMMIT".into()).await?;
        assert_eq!(number(&mut first, DIFFERING).await?, 0);
    }
    assert_eq!(number(&mut first, "SELECT sum(change) FROM appointment_count").await?, 77);
    // Whoever comes next folds what they left.
    run(&mut first, visit(1)).await?;
    assert_eq!(number(&mut first, "SELECT count(*) FROM appointment_count").await?, 1);
    Ok(())
}

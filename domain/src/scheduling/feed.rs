//! A practitioner's calendar, for the calendar program of their choice.
//!
//! It is read by whoever has its address, so it holds no word about any patient: when, how and where, never who or
//! why. The secret in the address is kept as a keyed hash, told once, and may be taken back at any time.

mod calendar;

use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64URL_NOPAD;
use praxis_entity::{
    appointment::{self, AppointmentStatus, Modality},
    calendar_feed::{ActiveModel, Column, Entity},
    facility,
    ids::PractitionerId,
    practitioner, room,
};
use praxis_platform::{
    Failure, Op, Write,
    access::Permission,
    audit::Entry,
    literal::Literal,
    vault::{IndexField, crypto},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr,
};
use zeroize::Zeroizing;

use self::calendar::{Calendar, Happening};
use crate::{Result, Violation, ViolationCode, page::any_of};

/// How far back and ahead a calendar goes.
const BACK: TimeDelta = TimeDelta::days(30);
const AHEAD: TimeDelta = TimeDelta::days(365);
/// The most visits in a calendar.
const MOST: u64 = 5_000;

/// Makes a secret address for the practitioner's calendar; the one before is good no longer.
pub async fn create_feed(op: &Op<Write>, practitioner: PractitionerId) -> Result<Zeroizing<String>> {
    let known = own(op, practitioner).await?;
    revoke(op, practitioner).await?;
    let secret = Zeroizing::new(BASE64URL_NOPAD.encode(&crypto::random::<32>().map_err(Failure::from)?));
    let row = ActiveModel {
        token_hash: Set(hash(op, &secret).await?),
        practitioner_id: Set(practitioner),
        created_at: Set(op.now()),
        created_by: Set(op.actor().user.map(|user| user.0)),
        revoked_at: Set(None),
    };
    Entity::insert(row).exec_without_returning(op.db()).await?;
    op.record(Entry::done("calendar-feed.create").on("Practitioner", practitioner.0, known.version));
    Ok(secret)
}

/// Takes the address back.
pub async fn revoke_feed(op: &Op<Write>, practitioner: PractitionerId) -> Result<PractitionerId> {
    let known = own(op, practitioner).await?;
    if revoke(op, practitioner).await? == 0 {
        let message = "This calendar has no address.";
        return Err(Violation::at(ViolationCode::NotFound, &["practitionerId"], message).into());
    }
    op.record(Entry::done("calendar-feed.revoke").on("Practitioner", practitioner.0, known.version));
    Ok(practitioner)
}

/// A practitioner gives away their own calendar, and whoever manages the schedules of all branches anybody's: it shows
/// visits at each of them.
async fn own(op: &Op<Write>, practitioner: PractitionerId) -> Result<practitioner::Model> {
    op.require(Permission::SCHEDULE_READ)?;
    if op.actor().practitioner != Some(practitioner) {
        op.actor().require_everywhere(Permission::SCHEDULE_MANAGE)?;
    }
    // Locked, so that two who ask at once do not both get an address.
    let known = practitioner::Entity::find_by_id(practitioner)
        .lock(sea_orm::sea_query::LockType::NoKeyUpdate)
        .one(op.db())
        .await?;
    let known = known.filter(|known| known.active);
    known.ok_or_else(|| {
        Violation::at(ViolationCode::NotFound, &["practitionerId"], "There is no such practitioner.").into()
    })
}

async fn revoke(op: &Op<Write>, practitioner: PractitionerId) -> Result<u64> {
    let revoked = Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(op.now()))
        .filter(Column::PractitionerId.eq(practitioner))
        .filter(Column::RevokedAt.is_null())
        .exec(op.db())
        .await?;
    Ok(revoked.rows_affected)
}

async fn hash<M>(op: &Op<M>, secret: &str) -> Result<Vec<u8>> {
    Ok(op.token(IndexField::CalendarFeed, secret).await?.ok_or(Failure::KeyUnavailable)?)
}

/// The calendar under an address, as RFC 5545 text; `None` for an address that there is not.
pub async fn feed<M>(op: &Op<M>, secret: &str) -> Result<Option<String>> {
    if secret.len() != 43 {
        return Ok(None);
    }
    let open = Entity::find_by_id(hash(op, secret).await?).filter(Column::RevokedAt.is_null());
    let Some(open) = open.one(op.db()).await? else { return Ok(None) };
    let still = practitioner::Entity::find_by_id(open.practitioner_id).one(op.db()).await?;
    if !still.is_some_and(|practitioner| practitioner.active) {
        return Ok(None);
    }
    let visits = visits(op, open.practitioner_id).await?;
    let branches = facility::Entity::find().all(op.db()).await?;
    let rooms: Vec<_> = visits.iter().filter_map(|visit| visit.room_id).map(|id| id.0).collect();
    let rooms = room::Entity::find().filter(any_of(room::Column::Id, rooms)).all(op.db()).await?;
    let mut calendar = Calendar::new(op.now());
    for visit in &visits {
        let branch = branches.iter().find(|branch| branch.id == visit.facility_id);
        let room = rooms.iter().find(|room| Some(room.id) == visit.room_id);
        let place = branch.map(|branch| branch.name.as_str()).into_iter();
        let place = place.chain(room.map(|room| room.name.as_str())).collect::<Vec<_>>().join(", ");
        calendar.add(&Happening {
            uid: visit.id.to_string(),
            version: visit.version,
            changed: visit.updated_at,
            starts: visit.starts_at,
            ends: visit.ends_at,
            summary: summary(visit.modality),
            place,
            tentative: visit.status == AppointmentStatus::Pending,
        });
    }
    Ok(Some(calendar.end()))
}

async fn visits<M>(op: &Op<M>, practitioner: PractitionerId) -> Result<Vec<appointment::Model>> {
    let gone = [
        AppointmentStatus::Cancelled,
        AppointmentStatus::NoShow,
        AppointmentStatus::Expired,
        AppointmentStatus::EnteredInError,
    ];
    let now: DateTime<Utc> = op.now();
    Ok(appointment::Entity::find()
        .filter(appointment::Column::PractitionerId.eq(practitioner))
        .filter(appointment::Column::StartsAt.between(now - BACK, now + AHEAD))
        .filter(appointment::Column::Status.is_none_of(&gone))
        .order_by_asc(appointment::Column::StartsAt)
        .order_by_asc(appointment::Column::Id)
        .limit(MOST)
        .all(op.db())
        .await?)
}

fn summary(modality: Modality) -> &'static str {
    match modality {
        Modality::InPerson => "Visit",
        Modality::Video => "Visit by video",
        Modality::Phone => "Visit by phone",
    }
}

//! Whether a notice is still to be sent, asked right before: what it speaks of, when, to whom, in which words.
//!
//! Some notices are judged at once, with a handful of statements. The number or address of a patient is opened last,
//! only where everything else says yes, and that is written down before anything leaves the house.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use praxis_entity::{
    appointment::{self, AppointmentStatus},
    channel_consent,
    ids::{PushDeviceId, UserId},
    notification::{self, Channel, SubjectKind, Topic},
    patient::{self, PatientStatus},
    push_device, suppression, user_account,
    value::{Contact, ContactPoint, ContactSystem},
};
use praxis_platform::{Op, Read, mail::Letter, sms::Text, vault::IndexField};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::{
    deliver::{Outcome, Ports},
    recipient::{self, Kind, Wishes},
    template::{Said, Templates},
};
use crate::{Result, page::any_of, patients};

/// What is to be done with a notice.
pub(super) enum Verdict {
    /// Nothing is handed over.
    Settled(Outcome),
    /// A mail.
    Mail(Letter),
    /// A text message, and the keyed hash of its number.
    Sms { text: Text, token: Vec<u8> },
    /// Calls to the devices of a user.
    Push(Vec<(PushDeviceId, String)>),
}

/// Where a notice goes, once everything else said yes.
struct Address {
    value: String,
    token: Vec<u8>,
}

/// What is known of the subjects and recipients of some notices.
struct Known {
    appointments: HashMap<Uuid, appointment::Model>,
    users: HashMap<Uuid, user_account::Model>,
    patients: HashMap<Uuid, patient::Model>,
    consents: HashMap<(Uuid, Channel), channel_consent::Model>,
    devices: HashMap<UserId, Vec<push_device::Model>>,
    wishes: Wishes,
}

/// Judges notices that are in hand; the order is theirs.
pub(super) async fn judge(
    op: &Op<Read>,
    ports: &Ports,
    origin: &str,
    notices: Vec<notification::Model>,
) -> Result<Vec<(notification::Model, Verdict)>> {
    let known = Known::load(op, &notices).await?;
    let templates = Templates::load(op, notices.iter().map(|notice| (notice.topic, notice.channel))).await?;
    let mut judged = Vec::with_capacity(notices.len());
    let mut addressed = Vec::new();
    for notice in notices {
        match known.stands_in_the_way(op, ports, &notice) {
            Some(outcome) => judged.push((notice, Verdict::Settled(outcome))),
            None if notice.channel == Channel::Push => {
                let verdict = known.devices_of(op, &notice).await?;
                judged.push((notice, verdict));
            }
            None => match known.address(op, &notice).await {
                Ok(address) => addressed.push((notice, address)),
                Err(outcome) => judged.push((notice, Verdict::Settled(outcome))),
            },
        }
    }
    let closed =
        suppressed(op, addressed.iter().map(|(notice, address)| (notice.channel, &address.token))).await?;
    for (notice, address) in addressed {
        let verdict = if closed.contains(&(notice.channel, address.token.clone())) {
            Verdict::Settled(Outcome::Suppressed("CLOSED"))
        } else {
            known.written(op, &templates, origin, &notice, address)
        };
        judged.push((notice, verdict));
    }
    Ok(judged)
}

/// Whether a notice of a visit at a time still says what is so.
pub(super) fn still_comes(
    topic: Topic,
    row: &appointment::Model,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> bool {
    let right = match topic {
        Topic::AppointmentCancelled => {
            matches!(row.status, AppointmentStatus::Cancelled | AppointmentStatus::EnteredInError)
        }
        // An offer stands as long as its time is held.
        Topic::AppointmentOffered => {
            row.status == AppointmentStatus::Pending && row.hold_expires_at.is_some_and(|until| now < until)
        }
        _ => matches!(row.status, AppointmentStatus::Booked | AppointmentStatus::Confirmed),
    };
    right && row.starts_at == at && now < at
}

impl Known {
    async fn load(op: &Op<Read>, notices: &[notification::Model]) -> Result<Self> {
        let of = |wanted: fn(&notification::Model) -> Option<Uuid>| -> Vec<Uuid> {
            let set: HashSet<Uuid> = notices.iter().filter_map(wanted).collect();
            set.into_iter().collect()
        };
        let subjects =
            of(|notice| (notice.subject_kind == SubjectKind::Appointment).then_some(notice.subject_id));
        let users = of(|notice| notice.user_id.map(|id| id.0));
        let rung = of(|notice| notice.user_id.filter(|_| notice.channel == Channel::Push).map(|id| id.0));
        let patients = of(|notice| notice.patient_id.map(|id| id.0));
        let recipients: Vec<Uuid> = users.iter().chain(&patients).copied().collect();
        let appointments = appointment::Entity::find()
            .filter(any_of(appointment::Column::Id, subjects))
            .all(op.db())
            .await?;
        let accounts =
            user_account::Entity::find().filter(any_of(user_account::Column::Id, users)).all(op.db()).await?;
        let persons = patient::Entity::find()
            .filter(any_of(patient::Column::Id, patients.clone()))
            .all(op.db())
            .await?;
        let consents = channel_consent::Entity::find()
            .filter(any_of(channel_consent::Column::PatientId, patients))
            .filter(channel_consent::Column::WithdrawnAt.is_null());
        let consents = consents.all(op.db()).await?;
        let mut devices: HashMap<UserId, Vec<push_device::Model>> = HashMap::new();
        if !rung.is_empty() {
            let found = push_device::Entity::find()
                .filter(any_of(push_device::Column::UserId, rung))
                .filter(push_device::Column::RemovedAt.is_null());
            for device in found.all(op.db()).await? {
                devices.entry(device.user_id).or_default().push(device);
            }
        }
        Ok(Self {
            appointments: appointments.into_iter().map(|row| (row.id.0, row)).collect(),
            users: accounts.into_iter().map(|row| (row.id.0, row)).collect(),
            patients: persons.into_iter().map(|row| (row.id.0, row)).collect(),
            consents: consents.into_iter().map(|row| ((row.patient_id.0, row.channel), row)).collect(),
            devices,
            wishes: Wishes::load(op, &recipients).await?,
        })
    }

    /// What stands in the way of a notice, apart from where it would go.
    fn stands_in_the_way(
        &self,
        op: &Op<Read>,
        ports: &Ports,
        notice: &notification::Model,
    ) -> Option<Outcome> {
        let now = op.now();
        if notice.expires_at.is_some_and(|expires| expires <= now) {
            return Some(Outcome::Cancelled("TOO_LATE"));
        }
        if notice.subject_kind == SubjectKind::Appointment {
            let row = self.appointments.get(&notice.subject_id);
            let holds = row.is_some_and(|row| {
                notice.about_at.is_none_or(|about| still_comes(notice.topic, row, about, now))
            });
            if !holds {
                return Some(Outcome::Cancelled("NOT_SO_ANY_MORE"));
            }
        }
        let (kind, recipient) = recipient::of(notice);
        let there = match kind {
            Kind::User => self.users.get(&recipient).is_some_and(|user| user.active),
            Kind::Patient => {
                self.patients.get(&recipient).is_some_and(|patient| patient.status == PatientStatus::Active)
            }
        };
        if !there {
            return Some(Outcome::Suppressed("NOT_HERE_ANY_MORE"));
        }
        if !self.wishes.want(kind, recipient, notice.topic, notice.channel) {
            return Some(Outcome::Suppressed("NOT_WANTED"));
        }
        let carried = match notice.channel {
            Channel::InApp => return Some(Outcome::Delivered),
            Channel::Email => ports.mail.is_some(),
            Channel::Sms => ports.sms.is_some(),
            Channel::Push => ports.push.is_some(),
        };
        if !carried {
            return Some(Outcome::Suppressed("NO_PROVIDER"));
        }
        let quiet = self.wishes.quiet(kind, recipient, notice.channel, &op.tenant().time_zone)?;
        let over = quiet.over(now);
        match notice.expires_at {
            _ if over == now => None,
            Some(expires) if expires <= over => Some(Outcome::Suppressed("QUIET_UNTIL_TOO_LATE")),
            _ => Some(Outcome::Later(over)),
        }
    }

    async fn devices_of(&self, op: &Op<Read>, notice: &notification::Model) -> Result<Verdict> {
        let devices = notice.user_id.and_then(|user| self.devices.get(&user)).map_or(&[][..], Vec::as_slice);
        if devices.is_empty() {
            return Ok(Verdict::Settled(Outcome::Suppressed("NO_DEVICE")));
        }
        let clinic = op.tenant().uuid();
        let key = op.data_key(clinic).await?;
        let mut addresses = Vec::with_capacity(devices.len());
        for device in devices {
            let place = op.place("push_device", device.id.0, clinic);
            addresses.push((device.id, op.open_unseen(&key, &place, &device.address).await?.0));
        }
        Ok(Verdict::Push(addresses))
    }

    /// Where a notice goes, or why it goes nowhere.
    async fn address(
        &self,
        op: &Op<Read>,
        notice: &notification::Model,
    ) -> std::result::Result<Address, Outcome> {
        // A key that is away says nothing about the notice.
        let away = |_| Outcome::Failed { provider: "here", why: "a key is not available".to_owned() };
        let field = if notice.channel == Channel::Sms { IndexField::Phone } else { IndexField::Email };
        let (kind, recipient) = recipient::of(notice);
        let value = match kind {
            Kind::User => self.users.get(&recipient).map(|user| user.email.clone()),
            Kind::Patient => {
                let Some(patient) = self.patients.get(&recipient) else {
                    return Err(Outcome::Suppressed("NOT_HERE_ANY_MORE"));
                };
                let contact = opened(op, patient).await.map_err(away)?;
                reached(&contact, notice.channel).map(|point| point.value.clone())
            }
        };
        let Some(value) = value else { return Err(Outcome::Suppressed("NO_ADDRESS")) };
        let token = op.token(field, &value).await.map_err(|failure| away(failure.into()))?;
        let Some(token) = token else { return Err(Outcome::Suppressed("NO_ADDRESS")) };
        if kind == Kind::Patient {
            match self.consents.get(&(recipient, notice.channel)) {
                None => return Err(Outcome::Suppressed("NO_CONSENT")),
                // They agreed to another number or address.
                Some(consent) if consent.contact_token != token => {
                    return Err(Outcome::Suppressed("ADDRESS_CHANGED"));
                }
                Some(_) => {}
            }
        }
        Ok(Address { value, token })
    }

    fn written(
        &self,
        op: &Op<Read>,
        templates: &Templates,
        origin: &str,
        notice: &notification::Model,
        Address { value, token }: Address,
    ) -> Verdict {
        let (_, recipient) = recipient::of(notice);
        let tenant = op.tenant();
        let zone = self.appointments.get(&notice.subject_id).map(|row| row.time_zone.as_str());
        let said = templates.say(&Said {
            topic: notice.topic,
            channel: notice.channel,
            locales: &[self.wishes.locale(recipient).unwrap_or(&tenant.locale), &tenant.locale],
            clinic: &tenant.display_name,
            origin,
            about: notice.about_at,
            zone: zone.unwrap_or(&tenant.time_zone),
        });
        match said {
            Ok(words) if notice.channel == Channel::Sms => {
                let report_to = format!("{origin}/webhooks/twilio/{}/{}", notice.id, notice.attempts);
                Verdict::Sms { text: Text { to: value, body: words.body, report_to }, token }
            }
            Ok(words) => Verdict::Mail(Letter {
                id: notice.id.to_string(),
                to: value,
                written_at: notice.created_at,
                clinic: tenant.display_name.clone(),
                subject: words.subject,
                text: words.body,
            }),
            Err(why) => Verdict::Settled(Outcome::Dead { provider: None, why }),
        }
    }
}

async fn opened(op: &Op<Read>, patient: &patient::Model) -> Result<Contact> {
    let key = op.data_key(patient.id.0).await?;
    let place = op.place("patient", patient.id.0, patient.id.0);
    Ok(op.disclose(&key, &place, &patient.contact).await?)
}

/// The number or address at which a patient is written to by a channel.
pub(super) fn reached(contact: &Contact, channel: Channel) -> Option<&ContactPoint> {
    let system = if channel == Channel::Sms { ContactSystem::Phone } else { ContactSystem::Email };
    let point = patients::preferred(contact, system)?;
    // Anything but E.164 is what somebody imported.
    (channel != Channel::Sms || point.value.starts_with('+')).then_some(point)
}

async fn suppressed(
    op: &Op<Read>,
    addresses: impl Iterator<Item = (Channel, &Vec<u8>)>,
) -> Result<HashSet<(Channel, Vec<u8>)>> {
    let tokens: Vec<Vec<u8>> = addresses.map(|(_, token)| token.clone()).collect();
    if tokens.is_empty() {
        return Ok(HashSet::new());
    }
    let found = suppression::Entity::find()
        .filter(suppression::Column::ContactToken.is_in(tokens))
        .filter(suppression::Column::LiftedAt.is_null());
    Ok(found.all(op.db()).await?.into_iter().map(|row| (row.channel, row.contact_token)).collect())
}

//! The registry of id kinds. Append-only and alphabetical: a prefix, once published, never changes.
//!
//! An id is a UUIDv7 in the database and `<prefix>_<26 characters of Crockford base32>` outside
//! (`pat_01jd3k5n8re6ktp1rb6z9q4x2m`). Each kind is a type of its own, so a patient's id can't be
//! given where an appointment's is asked for, and a wrong prefix fails before any SQL.

use std::{fmt, str::FromStr};

use uuid::Uuid;

/// The text is not an id of the kind that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an id of kind `{expected}`")]
pub struct InvalidId {
    /// The prefix that was expected.
    pub expected: &'static str,
}

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Writes 128 bits as 26 characters of Crockford base32, most significant first.
pub fn encode_base32(id: Uuid) -> String {
    let bits = id.as_u128();
    (0..26)
        .rev()
        .filter_map(|digit| ALPHABET.get(((bits >> (digit * 5)) & 31) as usize))
        .map(|&byte| char::from(byte))
        .collect()
}

/// Reads what [`encode_base32`] wrote; `None` for anything else.
pub fn decode_base32(text: &str) -> Option<Uuid> {
    if text.len() != 26 {
        return None;
    }
    let mut bits: u128 = 0;
    for (position, byte) in text.bytes().enumerate() {
        let digit = ALPHABET.iter().position(|&known| known == byte)? as u128;
        // 26 digits hold 130 bits: the first digit may only use three of its five.
        if position == 0 && digit > 7 {
            return None;
        }
        bits = (bits << 5) | digit;
    }
    Some(Uuid::from_u128(bits))
}

/// What every typed id can do.
pub trait TypedId: Copy + Eq + std::hash::Hash + fmt::Display + Send + Sync + 'static {
    /// Three letters in front of the public form.
    const PREFIX: &'static str;
    /// The stored form.
    fn uuid(self) -> Uuid;
    /// Wraps a stored id.
    fn from_uuid(id: Uuid) -> Self;
    /// The id, told apart by its prefix.
    fn any(self) -> AnyId;
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, sea_orm::DeriveValueType, serde::Serialize, serde::Deserialize)]
            #[serde(transparent)]
            pub struct $name(pub Uuid);

            impl TypedId for $name {
                const PREFIX: &'static str = $prefix;
                fn uuid(self) -> Uuid {
                    self.0
                }
                fn from_uuid(id: Uuid) -> Self {
                    Self(id)
                }
                fn any(self) -> AnyId {
                    AnyId::$name(self)
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    write!(f, concat!($prefix, "_{}"), encode_base32(self.0))
                }
            }

            impl fmt::Debug for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    fmt::Display::fmt(self, f)
                }
            }

            impl FromStr for $name {
                type Err = InvalidId;
                fn from_str(text: &str) -> Result<Self, InvalidId> {
                    text.strip_prefix(concat!($prefix, "_"))
                        .and_then(decode_base32)
                        .map(Self)
                        .ok_or(InvalidId { expected: $prefix })
                }
            }

            impl sea_orm::TryFromU64 for $name {
                fn try_from_u64(_: u64) -> Result<Self, sea_orm::DbErr> {
                    Err(sea_orm::DbErr::ConvertFromU64(stringify!($name)))
                }
            }
        )*

        /// Any id, told apart by its prefix.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum AnyId {
            $($(#[$doc])* $name($name),)*
        }

        impl AnyId {
            /// The id of an object by the name of its kind: `Patient`. Nothing for kinds without an id of their own.
            pub fn of_kind(kind: &str, id: Uuid) -> Option<Self> {
                $(if stringify!($name).strip_suffix("Id") == Some(kind) {
                    return Some(Self::$name($name(id)));
                })*
                None
            }

            /// The stored form.
            pub fn uuid(self) -> Uuid {
                match self {
                    $(Self::$name(id) => id.0,)*
                }
            }
        }

        impl fmt::Display for AnyId {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$name(id) => fmt::Display::fmt(id, f),)*
                }
            }
        }

        impl FromStr for AnyId {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let (prefix, digits) = text.split_once('_').ok_or(InvalidId { expected: "any" })?;
                let id = decode_base32(digits).ok_or(InvalidId { expected: "any" })?;
                match prefix {
                    $($prefix => Ok(Self::$name($name(id))),)*
                    _ => Err(InvalidId { expected: "any" }),
                }
            }
        }
    };
}

ids! {
    /// An alert of a rule about a patient.
    AlertId = "alt";
    /// An allergy or intolerance, or the finding that there is none.
    AllergyId = "alg";
    /// A program that calls the API with credentials of its own.
    ApiClientId = "cli";
    /// A booked visit.
    AppointmentId = "apt";
    /// Appointments that recur.
    AppointmentSeriesId = "aps";
    /// An entry of the audit log.
    AuditEntryId = "aud";
    /// A closure or extra opening of a schedule.
    AvailabilityExceptionId = "avx";
    /// A weekly rule of a practitioner's availability.
    AvailabilityRuleId = "avr";
    /// A declaration of emergency access.
    BreakGlassId = "bgl";
    /// A member of the team that cares for a patient.
    CareTeamMemberId = "ctm";
    /// A problem or diagnosis.
    ConditionId = "con";
    /// What a patient allows or forbids.
    ConsentId = "cns";
    /// A device that is booked.
    DeviceId = "dev";
    /// A diagnosis made in an encounter.
    DiagnosisId = "dia";
    /// To whom outside a patient's data were given.
    DisclosureId = "dis";
    /// A clinical document, whatever its version.
    DocumentId = "doc";
    /// One version of a clinical document.
    DocumentVersionId = "dov";
    /// A visit that took place or is under way.
    EncounterId = "enc";
    /// Something that happened.
    EventId = "evt";
    /// A branch of the clinic.
    FacilityId = "fac";
    /// A finding about a relative of the patient.
    FamilyHistoryId = "fah";
    /// A received resource that has no model of its own yet.
    FhirResourceId = "fhr";
    /// What a clinic asks for before a field is read.
    FieldPolicyId = "fpo";
    /// Where people sign in instead of here.
    IdentityProviderId = "idp";
    /// A vaccine that was given or not given.
    ImmunizationId = "imm";
    /// An invitation to join the clinic.
    InvitationId = "inv";
    /// Work that follows from an event or is due at a time.
    JobId = "job";
    /// A mail that leaves the house.
    MailId = "mai";
    /// A medication as the patient or a source states it.
    MedicationStatementId = "mst";
    /// A person's role, at one facility or at all.
    MembershipId = "mbr";
    /// A template of a clinical note.
    NoteTemplateId = "ntp";
    /// A notice to one recipient.
    NotificationId = "ntf";
    /// The words of a notice in one channel and locale.
    NotificationTemplateId = "ntt";
    /// A measurement or finding.
    ObservationId = "obs";
    /// Another organisation: provider, payer, referrer.
    OrganizationId = "org";
    /// A passkey of a user.
    PasskeyId = "pky";
    /// A person in care.
    PatientId = "pat";
    /// A clinician.
    PractitionerId = "pra";
    /// A procedure that was done.
    ProcedureId = "prc";
    /// A device that receives push notices.
    PushDeviceId = "psh";
    /// A place in a walk-in queue.
    QueueTokenId = "qtk";
    /// A registered operation.
    RegisteredOperationId = "rop";
    /// A person related to a patient: next of kin, guardian.
    RelatedPersonId = "rel";
    /// A named set of permissions.
    RoleId = "rol";
    /// A bookable room.
    RoomId = "roo";
    /// A version of a clinical rule.
    RuleId = "rul";
    /// A warning of suspicious access.
    SecurityAlertId = "sal";
    /// A signed-in session.
    SessionId = "ses";
    /// A signature under a version of a document.
    SignatureId = "sig";
    /// A finding about how the patient lives.
    SocialHistoryId = "soh";
    /// A medical specialty.
    SpecialtyId = "spc";
    /// Something that somebody has to do.
    TaskId = "tsk";
    /// A clinic or hospital: the tenant.
    TenantId = "ten";
    /// A person who signs in.
    UserId = "usr";
    /// A kind of visit that can be booked.
    VisitTypeId = "vst";
    /// Somebody who waits for an earlier appointment.
    WaitlistEntryId = "wle";
    /// A version of a workflow.
    WorkflowDefinitionId = "wfd";
    /// A workflow under way.
    WorkflowInstanceId = "wfi";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_the_round_trip() {
        let id = PatientId(Uuid::from_u128(0x0193_f2a1_7c00_7abc_8def_0123_4567_89ab));
        let text = id.to_string();
        assert_eq!(text.len(), 30);
        assert_eq!(text.parse::<PatientId>(), Ok(id));
        assert_eq!(text.parse::<AnyId>(), Ok(AnyId::PatientId(id)));
    }

    #[test]
    fn another_kind_or_a_broken_text_is_refused() {
        let id = PatientId(Uuid::max()).to_string();
        assert_eq!(id.parse::<PatientId>().map(|id| id.0), Ok(Uuid::max()));
        assert!(id.parse::<EncounterId>().is_err());
        assert!("pat_".parse::<PatientId>().is_err());
        assert!("pat_zzzzzzzzzzzzzzzzzzzzzzzzzz".parse::<PatientId>().is_err());
        assert!("pat_01JD3K5N8RE6KTP1RB6Z9Q4X2M".parse::<PatientId>().is_err());
    }
}

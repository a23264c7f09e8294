//! The words of the log, as the API and the database spell them: the same.

use async_graphql::Enum;

/// A word that is stored.
pub(super) trait Stored: Sized {
    /// As the database spells it.
    fn stored(self) -> &'static str;
    /// What the database means; `None` for a word of a later version.
    fn of(stored: &str) -> Option<Self>;
}

macro_rules! words {
    ($($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $meaning:literal])+ $word:ident = $stored:literal,)+ })+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
            pub(crate) enum $name { $($(#[doc = $meaning])+ $word,)+ }

            impl Stored for $name {
                fn stored(self) -> &'static str {
                    match self { $(Self::$word => $stored,)+ }
                }

                fn of(stored: &str) -> Option<Self> {
                    match stored { $($stored => Some(Self::$word),)+ _ => None }
                }
            }
        )+
    };
}

words! {
    /// How something ended.
    AuditOutcome {
        /// Done.
        Ok = "OK",
        /// Refused for lack of rights.
        Denied = "DENIED",
        /// Failed, or refused by the rules.
        Failed = "FAILED",
    }
    /// What kind of actor.
    AuditActorKind {
        /// A person of the clinic.
        User = "USER",
        /// A program with credentials of its own.
        Client = "CLIENT",
        /// The system, on its own account.
        System = "SYSTEM",
        /// A person who runs the installation.
        Operator = "OPERATOR",
    }
    /// What data were given to others for, after HIPAA 164.512 and 164.528.
    DisclosurePurpose {
        /// Treatment by somebody else. Not accountable.
        Treatment = "TREATMENT",
        /// Payment. Not accountable.
        Payment = "PAYMENT",
        /// The clinic's own operations. Not accountable.
        Operations = "OPERATIONS",
        /// The patient allowed it. Not accountable.
        Authorization = "AUTHORIZATION",
        /// Public health.
        PublicHealth = "PUBLIC_HEALTH",
        /// A report of abuse, neglect or domestic violence.
        AbuseReport = "ABUSE_REPORT",
        /// Health oversight.
        Oversight = "OVERSIGHT",
        /// A court or an administrative proceeding.
        Judicial = "JUDICIAL",
        /// Law enforcement.
        LawEnforcement = "LAW_ENFORCEMENT",
        /// Coroners, funeral directors, organ donation.
        Decedent = "DECEDENT",
        /// Research.
        Research = "RESEARCH",
        /// To avert a serious threat.
        ThreatToSafety = "THREAT_TO_SAFETY",
        /// Specialised government functions.
        Government = "GOVERNMENT",
        /// Workers' compensation.
        WorkersCompensation = "WORKERS_COMPENSATION",
        /// By mistake, or by somebody else's doing.
        Breach = "BREACH",
        /// Anything else.
        Other = "OTHER",
    }
    /// What is watched for.
    AlertKind {
        /// Many different charts read by one person.
        MassReading = "MASS_READING",
        /// A restricted chart read by somebody outside of its care team.
        RestrictedReading = "RESTRICTED_READING",
        /// Somebody's own chart.
        OwnRecord = "OWN_RECORD",
        /// A chart that shares a telephone number or an e-mail address with the reader's own.
        OwnFamily = "OWN_FAMILY",
        /// Failed attempts to sign in.
        FailedSignIns = "FAILED_SIGN_INS",
        /// Emergency access more often than usual.
        BreakGlassUse = "BREAK_GLASS_USE",
        /// An entry of the log that the server did not write.
        ForgedEntry = "FORGED_ENTRY",
    }
    /// What somebody who looked at an alert found.
    AlertResolution {
        /// There was good reason for it.
        Justified = "JUSTIFIED",
        /// Nothing happened.
        FalseAlarm = "FALSE_ALARM",
        /// It should not have happened; it is followed up elsewhere.
        Confirmed = "CONFIRMED",
        /// It is part of another alert.
        Duplicate = "DUPLICATE",
    }
}

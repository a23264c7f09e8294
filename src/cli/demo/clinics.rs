//! The two clinics of the demo: what they are called, where they are, and who works there.

/// The password of every demo account. It is public, which is fine: the demo listens on loopback
/// only and holds nobody's data.
pub(super) const PASSWORD: &str = "welcome-to-praxis";

/// The account that runs the installation, and holds no rights inside a clinic.
pub(super) const OPERATOR: &str = "operator@praxis.example";

/// The country of a clinic, which decides how addresses and numbers look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Country {
    UnitedKingdom,
    UnitedStates,
}

/// A clinic of the demo.
#[derive(Debug)]
pub(super) struct Clinic {
    /// Subdomain.
    pub slug: &'static str,
    /// Name.
    pub name: &'static str,
    /// Template it starts with.
    pub template: &'static str,
    /// BCP 47 locale.
    pub locale: &'static str,
    /// IANA zone.
    pub time_zone: &'static str,
    /// Country.
    pub country: Country,
    /// A loopback address of its own, for systems whose resolver does not know `*.localhost`.
    pub address: [u8; 4],
    /// Letters before its record numbers.
    pub record_prefix: &'static str,
    /// Branches.
    pub branches: &'static [Branch],
    /// Clinicians.
    pub clinicians: &'static [Clinician],
    /// Accounts: role, name as shown, and which clinician it is.
    pub accounts: &'static [(&'static str, &'static str, Option<usize>)],
    /// Kinds of visit that are booked, by key; all with buffers fit into an hour.
    pub visits: &'static [&'static str],
}

/// A branch.
#[derive(Debug)]
pub(super) struct Branch {
    pub code: &'static str,
    pub name: &'static str,
    pub phone: &'static str,
    pub address: &'static [&'static str],
    pub rooms: &'static [&'static str],
}

/// A clinician.
#[derive(Debug)]
pub(super) struct Clinician {
    pub family: &'static str,
    pub given: &'static str,
    pub prefix: &'static str,
    pub specialty: &'static str,
    /// Branch and room, by their places in the lists.
    pub works_in: (usize, usize),
}

const fn clinician(
    prefix: &'static str,
    given: &'static str,
    family: &'static str,
    specialty: &'static str,
    works_in: (usize, usize),
) -> Clinician {
    Clinician { family, given, prefix, specialty, works_in }
}

/// The clinics.
pub(super) const CLINICS: [Clinic; 2] = [
    Clinic {
        slug: "northside",
        name: "Northside Family Practice",
        template: "general-practice",
        locale: "en-GB",
        time_zone: "Europe/London",
        country: Country::UnitedKingdom,
        address: [127, 0, 0, 2],
        record_prefix: "NFP",
        branches: &[
            Branch {
                code: "MAIN",
                name: "Northside Health Centre",
                phone: "+441134960900",
                address: &["1 Market Square", "Leeds"],
                rooms: &["Consulting room 1", "Consulting room 2", "Consulting room 3", "Treatment room"],
            },
            Branch {
                code: "PARK",
                name: "Parkside Branch Surgery",
                phone: "+441134960901",
                address: &["40 Park Row", "Leeds"],
                rooms: &["Consulting room A", "Consulting room B"],
            },
        ],
        clinicians: &[
            clinician("Dr", "Helen", "Ashworth", "207Q00000X", (0, 0)),
            clinician("Dr", "Samuel", "Osei", "208D00000X", (0, 1)),
            clinician("Dr", "Nadia", "Rahman", "208000000X", (0, 2)),
            clinician("Dr", "Martin", "Kessler", "207R00000X", (1, 0)),
            clinician("Dr", "Ruth", "Donnelly", "207QG0300X", (1, 1)),
            clinician("Sr", "Claire", "Whitfield", "163W00000X", (0, 3)),
        ],
        accounts: &[
            ("owner", "Helen Ashworth (owner)", None),
            ("practice_manager", "Pat Linwood", None),
            ("physician", "Dr Helen Ashworth", Some(0)),
            ("nurse", "Sr Claire Whitfield", Some(5)),
            ("receptionist", "Robin Hale", None),
            ("biller", "Toni Marsh", None),
        ],
        visits: &[
            "new_patient",
            "follow_up",
            "same_day",
            "vaccination",
            "chronic_care_review",
            "blood_draw",
            "phone_consultation",
        ],
    },
    Clinic {
        slug: "harbor",
        name: "Harbor General Hospital",
        template: "hospital",
        locale: "en-US",
        time_zone: "America/New_York",
        country: Country::UnitedStates,
        address: [127, 0, 0, 3],
        record_prefix: "HGH",
        branches: &[
            Branch {
                code: "CAMPUS",
                name: "Harbor Main Campus",
                phone: "+16175550100",
                address: &["500 Harbor Boulevard", "Boston, MA"],
                rooms: &["Exam 1", "Exam 2", "Exam 3", "Exam 4"],
            },
            Branch {
                code: "EAST",
                name: "Harbor East Outpatient Center",
                phone: "+16175550101",
                address: &["22 Pier Avenue", "Boston, MA"],
                rooms: &["Suite 1", "Suite 2"],
            },
        ],
        clinicians: &[
            clinician("Dr.", "Laura", "Whitcomb", "208M00000X", (0, 0)),
            clinician("Dr.", "David", "Adeyemi", "207RC0000X", (0, 1)),
            clinician("Dr.", "Anita", "Deshmukh", "208600000X", (0, 2)),
            clinician("Dr.", "Peter", "Lindqvist", "207X00000X", (0, 3)),
            clinician("Dr.", "Carmen", "Villareal", "2084N0400X", (1, 0)),
            clinician("RN", "Joanne", "Mercer", "163W00000X", (1, 1)),
        ],
        accounts: &[
            ("owner", "Victor Langley", None),
            ("practice_manager", "Dana Rowe", None),
            ("physician", "Dr. Laura Whitcomb", Some(0)),
            ("nurse", "Joanne Mercer, RN", Some(5)),
            ("charge_nurse", "Sandra Boyle, RN", None),
            ("receptionist", "Chris Tolland", None),
            ("registrar", "Morgan Fife", None),
            ("biller", "Jamie Stroud", None),
            ("pharmacist", "Alex Whitmore, PharmD", None),
            ("radiographer", "Sam Rutland", None),
            ("lab_technician", "Casey Brandt", None),
        ],
        visits: &[
            "outpatient_new",
            "outpatient_follow_up",
            "postoperative_review",
            "sample_collection",
            "wound_care",
            "anesthesia_consultation",
        ],
    },
];

impl Clinic {
    /// The address with which the account of a role signs in.
    pub(super) fn email(&self, role: &str) -> String {
        format!("{}@{}.example", role.replace('_', "-"), self.slug)
    }
}

#[cfg(test)]
mod tests {
    use praxis_platform::template::{Source, Template};

    use super::*;

    #[test]
    fn what_the_clinics_refer_to_is_in_their_templates() {
        for clinic in &CLINICS {
            let template = Template::load(&Source::shipped(), clinic.template).unwrap();
            for (role, _, clinician) in clinic.accounts {
                assert!(template.roles.iter().any(|known| known.code == *role), "{role}");
                assert!(clinician.is_none_or(|at| at < clinic.clinicians.len()));
            }
            for clinician in clinic.clinicians {
                assert!(
                    template.specialties.iter().any(|known| known.code == clinician.specialty),
                    "{}",
                    clinician.family
                );
                let (branch, room) = clinician.works_in;
                assert!(clinic.branches[branch].rooms.len() > room);
            }
            for key in clinic.visits {
                let visit = template.visit_types.iter().find(|known| known.key == *key).unwrap();
                let minutes =
                    visit.buffer_before_minutes + visit.duration_minutes + visit.buffer_after_minutes;
                assert!(minutes <= 60, "{key} takes {minutes} minutes");
            }
        }
    }

    #[test]
    fn every_clinic_has_the_accounts_that_are_promised() {
        for clinic in &CLINICS {
            for role in ["owner", "physician", "nurse", "receptionist", "biller"] {
                assert!(clinic.accounts.iter().any(|(known, _, _)| known == &role));
            }
        }
        assert!(PASSWORD.chars().count() >= 12);
    }
}

"""The questions, in Praxis's own GraphQL, and the requests that ask them."""

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from clinic import OFFICER, PHYSICIAN, Filled

# Filled in by the load generator, anew for each request; of the same length as what replaces them.
SERIAL, STARTS_AT = "@serial@@@", "@starts-at@@@@@@@@@@"

Q0 = "query Q0 { __typename }"
Q1 = """query Q1($id: ID!) {
  patient(by: { id: $id }) {
    id mrn name { given family } birthDate phone email addresses { lines city postalCode }
  }
}"""
Q2 = """query Q2($after: String) {
  patients(first: 20, after: $after) {
    nodes {
      id name { full } birthDate
      appointments(first: 5, orderBy: [{ field: STARTS_AT, direction: DESC }]) {
        nodes { startsAt status practitioner { displayName } }
      }
    }
  }
}"""
Q3 = """query Q3($id: ID!) {
  patient(by: { id: $id }) {
    id mrn name { given family } birthDate phone email addresses { lines city postalCode }
    encounters(first: 10) {
      nodes {
        id startedAt class status practitioner { displayName specialty }
        observations(first: 5) {
          nodes { code { codings { code } } value { ... on QuantityValue { quantity { value unit } } } effectiveAt }
        }
      }
    }
  }
}"""
Q4 = """mutation Q4($input: AppointmentBookInput!, $key: String!) {
  appointmentBook(input: $input) @idempotent(key: $key) {
    appointment { id startsAt status practitioner { displayName } }
    userErrors { code message }
  }
}"""
Q5 = """query Q5($year: Int!) {
  appointmentStatistics(year: $year) { months { month total byStatus { booked completed cancelled noShow } } }
}"""

# What a request costs step by step: each asks for one thing more than the one before.
S1 = "query S1($id: ID!) { patient(by: { id: $id }) { id status administrativeSex } }"
SEALED = """query Sealed($id: ID!) {
  patient(by: { id: $id }) { id birthDate phone email addresses { lines city postalCode } }
}"""

Variables = Callable[[random.Random, Filled], dict[str, Any]]


def nothing(_draw: random.Random, _clinic: Filled) -> dict[str, Any]:
    """No variables."""
    return {}


def a_patient(draw: random.Random, clinic: Filled) -> dict[str, Any]:
    """Any patient."""
    return {"id": draw.choice(clinic.patients)}


def a_page(draw: random.Random, clinic: Filled) -> dict[str, Any]:
    """A page that begins anywhere, and is full."""
    return {"after": draw.choice(clinic.pages())}


def a_booking(draw: random.Random, clinic: Filled) -> dict[str, Any]:
    """A visit of any patient at a time that nobody else asks for."""
    return {"input": booking(draw.choice(clinic.patients), draw.choice(clinic.practitioners)), "key": SERIAL}


def a_year(_draw: random.Random, clinic: Filled) -> dict[str, Any]:
    """The year in which the clinic's appointments begin."""
    return {"year": clinic.year}


def booking(patient: str, practitioner: str, starts_at: str = STARTS_AT) -> dict[str, Any]:
    """What to book."""
    return {
        "patientId": patient,
        "practitionerId": practitioner,
        "type": "IN_PERSON",
        "startsAt": starts_at,
        "durationMinutes": 15,
        "reason": "Follow-up",
    }


@dataclass(frozen=True)
class Document:
    """One question."""

    name: str
    meaning: str
    text: str
    variables: Variables
    registered: bool = False
    thinking: bool = False
    stamped: bool = False
    # Who asks, by the address they sign in with; nobody in particular where it is empty.
    reader: str = PHYSICIAN

    @property
    def sent(self) -> str:
        """The text in one line, as clients' tools send it."""
        return " ".join(self.text.split())

    @property
    def id(self) -> str:
        """The id under which it is registered."""
        return hashlib.sha256(self.sent.encode()).hexdigest()

    def body(self, variables: dict[str, Any]) -> dict[str, Any]:
        """A request's body."""
        asked = {"documentId": self.id} if self.registered else {"query": self.sent}
        return {**asked, "variables": variables}


DOCUMENTS = {
    document.name: document
    for document in (
        Document("Q0", "nothing but the session", Q0, nothing),
        Document("Q1", "point read, six PHI fields", Q1, a_patient),
        Document("Q2", "20 patients with 5 appointments each", Q2, a_page, thinking=True),
        Document("Q3", "deep chart", Q3, a_patient, thinking=True),
        Document("Q4", "book an appointment", Q4, a_booking, stamped=True),
        Document("Q5", "appointments of a year by month and status", Q5, a_year),
        Document("Q6", "Q2 as a registered operation", Q2, a_page, registered=True),
        Document("S0", "Q0 by nobody", Q0, nothing, reader=""),
        Document("S1", "a patient, nothing sealed", S1, a_patient),
        Document("S2", "four sealed fields by somebody who may read none", SEALED, a_patient, reader=OFFICER),
        Document("S3", "the same by somebody who may", SEALED, a_patient),
    )
}


# What is in the second document and not in the first.
STEPS = [
    ("session", "S0", "Q0"),
    ("row and policy", "Q0", "S1"),
    ("redaction", "S1", "S2"),
    ("unsealing and audit entry", "S2", "S3"),
]


def manifest() -> str:
    """The registered operations, as Relay lists them."""
    return json.dumps({one.id: one.sent for one in DOCUMENTS.values() if one.registered})

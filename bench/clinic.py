"""The workload: clinics of one size, filled through the ways in that production has.

Patients, visits and observations come by the FHIR import, practitioners and appointments through the API. Every step
may be repeated: the import adds nothing twice, and mutations carry keys. What is done is noted in a file per clinic.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cluster import BenchError
from server import Client, Praxis

PASSWORD = "forty patient load generators"
OWNER, PHYSICIAN, OFFICER = "owner@bench.example", "physician@bench.example", "officer@bench.example"
# Who asks: a physician who runs the practice; an officer may know of patients, and read their names alone.
ROLES = {OWNER: ["owner"], PHYSICIAN: ["physician", "practice_manager"], OFFICER: ["privacy_officer"]}
PRACTITIONERS, APPOINTMENTS, ENCOUNTERS, OBSERVATIONS = 20, 5, 10, 2
IDENTIFIER = "urn:praxis:bench"
# Mutations in one request: as many as a document may hold directives.
BATCH = 10

GIVEN = "Ada Ben Chloe Dev Esme Femi Grace Hugo Isla Jamal Kira Liam Maya Noor Owen Priya Quinn Rosa Sami Tara".split()
FAMILY = "Abara Bryce Castro Dufour Eriksen Fonseca Gupta Haddad Ivanov Jansen Kowal Lindh Moreau Nakano Osei".split()
MEASURED = [("8867-4", "/min"), ("8480-6", "mm[Hg]"), ("2339-0", "mg/dL"), ("718-7", "g/dL")]


@dataclass(frozen=True)
class Clinic:
    """One tenant of the benchmark."""

    number: int
    patients: int

    @property
    def slug(self) -> str:
        """Its subdomain."""
        return f"t{self.number:04d}"

    def resources(self) -> Iterator[dict[str, Any]]:
        """Its patients, visits and observations as FHIR resources; the same each time."""
        draw = random.Random(self.number)
        opened = datetime(2024, 1, 1, 8, tzinfo=UTC)
        for patient in range(self.patients):
            yield self._patient(draw, patient)
        for patient in range(self.patients):
            for visit in range(ENCOUNTERS):
                began = opened + timedelta(minutes=15 * draw.randrange(35_000))
                name = f"{patient}-{visit}"
                yield encounter(name, patient, draw.randrange(PRACTITIONERS), began)
                for measured in range(OBSERVATIONS):
                    code, unit = MEASURED[(visit * OBSERVATIONS + measured) % len(MEASURED)]
                    yield observation(f"{name}-{measured}", name, patient, began, code, draw.randrange(60, 160), unit)

    def _patient(self, draw: random.Random, number: int) -> dict[str, Any]:
        given, family = draw.choice(GIVEN), f"{draw.choice(FAMILY)}-{number:04d}"
        born = datetime(1930, 1, 1) + timedelta(days=draw.randrange(33_000))
        return {
            "resourceType": "Patient",
            "id": f"p{number}",
            "name": [{"family": family, "given": [given]}],
            "birthDate": f"{born:%Y-%m-%d}",
            "gender": draw.choice(["female", "male"]),
            "telecom": [
                {"system": "phone", "value": f"+1555{self.number:03d}{number:04d}"},
                {"system": "email", "value": f"{given}.{family}@example.org".lower()},
            ],
            "address": [
                {
                    "line": [f"{1 + draw.randrange(999)} {draw.choice(FAMILY)} Street"],
                    "city": "Springfield",
                    "postalCode": f"{10_000 + draw.randrange(89_999)}",
                }
            ],
        }

    def series(self, monday: datetime) -> Iterator[dict[str, Any]]:
        """For each patient so many weekly visits to one practitioner, each at a time of its own."""
        for patient in range(self.patients):
            practitioner, turn = patient % PRACTITIONERS, patient // PRACTITIONERS
            day, slot = divmod(turn, 20)
            begins = monday + timedelta(days=day % 5, hours=13, minutes=15 * slot, weeks=day // 5 * APPOINTMENTS)
            yield {"patient": patient, "practitioner": practitioner, "startsAt": f"{begins:%Y-%m-%dT%H:%M:%SZ}"}


def encounter(name: str, patient: int, practitioner: int, began: datetime) -> dict[str, Any]:
    """A visit of half an hour."""
    return {
        "resourceType": "Encounter",
        "id": f"e{name}",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": {"reference": f"Patient/p{patient}"},
        "participant": [{"individual": {"reference": f"Practitioner?identifier={IDENTIFIER}|{practitioner}"}}],
        "period": {"start": began.isoformat(), "end": (began + timedelta(minutes=30)).isoformat()},
    }


def observation(name: str, visit: str, patient: int, at: datetime, code: str, value: int, unit: str) -> dict[str, Any]:
    """A number with its unit, taken during a visit."""
    return {
        "resourceType": "Observation",
        "id": f"o{name}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": f"Patient/p{patient}"},
        "encounter": {"reference": f"Encounter/e{visit}"},
        "effectiveDateTime": at.isoformat(),
        "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
    }


def first_monday() -> datetime:
    """When the first appointments of a clinic that is filled today begin: half a year ahead, so that no reminder disturbs."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=182 - today.weekday())


@dataclass
class Filled:
    """What is known of a filled clinic: its steps that are done, and the ids by which it is asked."""

    file: Path
    patients_wanted: int
    done: list[str]
    patients: list[str]
    cursors: list[str]
    practitioners: list[str]
    year: int = field(default_factory=lambda: first_monday().year)

    @classmethod
    def of(cls, folder: Path, clinic: Clinic) -> "Filled":
        """Reads what an earlier run noted."""
        file = folder / "clinics" / f"{clinic.slug}.json"
        if not file.exists():
            return cls(file, clinic.patients, [], [], [], [])
        noted = cls(file, **json.loads(file.read_text()))
        if noted.patients_wanted != clinic.patients:
            raise BenchError(f"{clinic.slug} was filled at another scale: use that one, or --reset to start anew")
        return noted

    @property
    def complete(self) -> bool:
        """Whether nothing is left to do."""
        return {"booked", "people"} <= set(self.done)

    def pages(self) -> list[str]:
        """Cursors after which a page of 20 is full."""
        return self.cursors[: max(1, len(self.cursors) - 20)]

    def note(self, step: str) -> None:
        """Notes that a step is done, whole or not at all."""
        self.done.append(step)
        self.file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.file.with_suffix(".unfinished")
        unfinished.write_text(json.dumps({name: value for name, value in vars(self).items() if name != "file"}))
        unfinished.replace(self.file)


def fill(praxis: Praxis, clinic: Clinic) -> Filled:
    """Makes a clinic and fills it, going on where an earlier run stopped."""
    filled = Filled.of(praxis.folder, clinic)
    if filled.complete:
        return filled
    if "made" not in filled.done:
        make(praxis, clinic)
        filled.note("made")
    if "people" not in filled.done:
        people(praxis, clinic)
        filled.note("people")
    client = Client(praxis.port, clinic.slug)
    try:
        client.sign_in(OWNER, PASSWORD)
        if "practitioners" not in filled.done:
            filled.practitioners = register(client)
            filled.note("practitioners")
        if "imported" not in filled.done:
            take_over(praxis, clinic)
            filled.note("imported")
        if "booked" not in filled.done:
            client.sign_in(PHYSICIAN, PASSWORD)
            filled.patients, filled.cursors = patients(client)
            book(client, clinic, filled)
            filled.note("booked")
    finally:
        client.close()
    return filled


def make(praxis: Praxis, clinic: Clinic) -> None:
    """The clinic itself."""
    existing = {tenant["slug"] for tenant in praxis.run("tenant", "list")}
    if clinic.slug not in existing:
        name = f"Clinic {clinic.number}"
        template = ["--template", "general-practice", "--time-zone", "UTC"]
        praxis.run("tenant", "create", "--slug", clinic.slug, "--name", name, *template)


def people(praxis: Praxis, clinic: Clinic) -> None:
    """Who owns it, and who asks the questions."""
    known = {user["email"] for user in praxis.run("user", "list", "--tenant", clinic.slug)}
    for email, roles in ROLES.items():
        if email not in known:
            held = [argument for role in roles for argument in ("--role", role)]
            who = ["--tenant", clinic.slug, "--email", email, "--name", roles[0].title(), *held]
            praxis.run("user", "create", *who, "--password-stdin", stdin=PASSWORD)


OPEN = """mutation Open($input: FacilityAddInput!) {
  facilityAdd(input: $input) @idempotent(key: "fill-branch") { userErrors { code message path } }
}"""
REGISTER = """mutation Register($input: PractitionerRegisterInput!, $key: String!) {
  practitionerRegister(input: $input) @idempotent(key: $key) {
    practitioner { id } userErrors { code message path }
  }
}"""


def register(client: Client) -> list[str]:
    """The branch and its practitioners, by whose identifiers the import finds them."""
    client.ask(OPEN, {"input": {"code": "MAIN", "name": "Main branch", "timeZone": "UTC"}})
    ids = []
    for number in range(PRACTITIONERS):
        new = {
            "family": f"{FAMILY[number % len(FAMILY)]}-{number}",
            "given": [GIVEN[number]],
            "prefix": "Dr",
            "specialty": "208000000X",
            "identifiers": [{"system": IDENTIFIER, "value": str(number)}],
        }
        made = client.ask(REGISTER, {"input": new, "key": f"fill-practitioner-{number}"})
        ids.append(made["practitionerRegister"]["practitioner"]["id"])
    return ids


def take_over(praxis: Praxis, clinic: Clinic) -> None:
    """Imports the clinic's resources as one NDJSON file."""
    file = praxis.folder / f"{clinic.slug}.ndjson"
    with file.open("w") as lines:
        lines.writelines(json.dumps(one, separators=(",", ":")) + "\n" for one in clinic.resources())
    report = praxis.run("fhir", "import", "--tenant", clinic.slug, str(file))
    print(f"  {clinic.slug}: imported at {report['rows_per_second']} rows/s", flush=True)
    file.unlink()


LIST = """query List($after: String) {
  patients(first: 100, after: $after) { edges { cursor node { id } } pageInfo { hasNextPage endCursor } }
}"""


def patients(client: Client) -> tuple[list[str], list[str]]:
    """All patients in the order of the list, and the cursor of each."""
    ids, cursors, after = [], [], None
    while True:
        page = client.ask(LIST, {"after": after})["patients"]
        ids += [edge["node"]["id"] for edge in page["edges"]]
        cursors += [edge["cursor"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            return ids, cursors
        after = page["pageInfo"]["endCursor"]


def book(client: Client, clinic: Clinic, filled: Filled) -> None:
    """Books the series, several in a request."""
    monday = first_monday()
    filled.year = monday.year
    wanted = list(clinic.series(monday))
    for begin in range(0, len(wanted), BATCH):
        batch = wanted[begin : begin + BATCH]
        inputs = {f"i{at}": series_input(one, filled) for at, one in enumerate(batch)}
        arguments = ", ".join(f"${name}: AppointmentSeriesBookInput!" for name in inputs)
        fields = " ".join(
            f'b{at}: appointmentSeriesBook(input: $i{at}) @idempotent(key: "fill-series-{begin + at}") '
            "{ userErrors { code message path } }"
            for at in range(len(batch))
        )
        client.ask(f"mutation Fill({arguments}) {{ {fields} }}", inputs)


def series_input(wanted: dict[str, Any], filled: Filled) -> dict[str, Any]:
    """A series as the API takes it."""
    first = {
        "patientId": filled.patients[wanted["patient"]],
        "practitionerId": filled.practitioners[wanted["practitioner"]],
        "type": "IN_PERSON",
        "startsAt": wanted["startsAt"],
        "durationMinutes": 15,
        "reason": f"Follow-up {wanted['patient'] % 50}",
    }
    return {"first": first, "rule": f"FREQ=WEEKLY;COUNT={APPOINTMENTS}"}

#!/usr/bin/env python3
"""Measures many clinics on one installation: making them, finding nothing to do, reading among them. See README.md."""

import argparse
import json
import os
import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import load
from clinic import PASSWORD, PHYSICIAN, Filled
from cluster import BenchError, Cluster
from documents import DOCUMENTS
from load import Target
from meter import memory_mb
from server import Client, Praxis

TARGET = Path(os.environ.get("CARGO_TARGET_DIR", Path(__file__).resolve().parent.parent / "target"))
TEMPLATE = ("--template", "general-practice", "--time-zone", "UTC")
# How many the first and the last creations are, to be compared; and how many are taken from the warm pool.
FEW = 50
REGISTER = """mutation($input: PatientCreateInput!) {
  patientCreate(input: $input) { patient { id } userErrors { code message } }
}"""
PATIENT = {
    "name": {"given": ["Ada"], "family": "Abara"},
    "birthDate": "1980-02-29",
    "phone": "+15550001111",
    "email": "ada.abara@example.org",
    "addresses": [{"lines": ["1 Abara Street"], "city": "Springfield", "postalCode": "10000"}],
}
CREATE_AT_ONCE = 2
# With think time, so that a percentile shows a delay and not a queue: 200 readers, 100 requests per second.
READERS, THINK_MS = 200, 2_000


@dataclass(frozen=True)
class Made:
    """A creation: how long the command took, and the clinic's creation by itself."""

    command: float
    clinic: float


class Fleet:
    """An installation with any number of clinics, each with one physician and one patient; kept in a folder."""

    def __init__(self, praxis: Praxis, cluster: Cluster) -> None:
        self.praxis, self.cluster = praxis, cluster

    def begin(self, filling: bool = False) -> None:
        """Starts Postgres, so that commits wait for the disk, or do not."""
        self.cluster.folder.mkdir(parents=True, exist_ok=True)
        self.cluster.stop()
        self.cluster.start(filling)
        self.praxis.database = self.cluster.url(True)

    def size(self) -> int:
        """How many clinics there are."""
        return len(self.praxis.run("tenant", "list"))

    def create(self, number: int) -> Made:
        """Makes one clinic, as an operator does."""
        begun = time.perf_counter()
        made = self.praxis.run("tenant", "create", "--slug", f"f{number:05d}", "--name", f"Clinic {number}", *TEMPLATE)
        return Made((time.perf_counter() - begun) * 1_000, made["duration_ms"])

    def create_up_to(self, count: int) -> tuple[list[Made], float]:
        """Makes those that are missing, two at once; each, and how long all took."""
        numbers = range(self.size() + 1, count + 1)
        begun = time.perf_counter()
        with ThreadPoolExecutor(CREATE_AT_ONCE) as pool:
            made = list(pool.map(self.create, numbers))
        return made, time.perf_counter() - begun

    def people(self, count: int) -> list[Filled]:
        """A physician and a patient in each of the first clinics; known from then on."""
        file = self.praxis.folder / "people.json"
        known: list[str] = json.loads(file.read_text()) if file.exists() else []

        def one(number: int) -> str:
            who = ["--tenant", f"f{number:05d}", "--email", PHYSICIAN, "--name", "Physician", "--role", "physician"]
            self.praxis.run("user", "create", *who, "--password-stdin", stdin=PASSWORD)
            client = Client(self.praxis.port, f"f{number:05d}")
            client.sign_in(PHYSICIAN, PASSWORD)
            made = client.ask(REGISTER, {"input": PATIENT})
            client.close()
            return str(made["patientCreate"]["patient"]["id"])

        with ThreadPoolExecutor(CREATE_AT_ONCE + 1) as pool:
            known += pool.map(one, range(len(known) + 1, count + 1))
        file.write_text(json.dumps(known))
        return [Filled(file, 1, [], [patient], [], []) for patient in known[:count]]

    def targets(self, filled: list[Filled]) -> list[Target]:
        """Everybody signed in. Tokens are good for ten minutes."""

        def one(at: int) -> Target:
            client = Client(self.praxis.port, f"f{at + 1:05d}")
            token = client.sign_in(PHYSICIAN, PASSWORD)
            client.close()
            return Target(f"f{at + 1:05d}", token, filled[at])

        with ThreadPoolExecutor(CREATE_AT_ONCE + 1) as pool:
            return list(pool.map(one, range(len(filled))))

    def read(self, targets: list[Target], connections: int, seconds: int, think: int = 0) -> load.Result:
        """Point reads over these clinics; a wrong answer ends the benchmark."""
        requests = self.praxis.folder / "Q1.requests"
        load.prepare(DOCUMENTS["Q1"], targets, requests)
        judged = load.run(self.praxis.port, requests, connections, 3, judge=True)
        if judged.bad or judged.errors:
            raise BenchError(f"{judged.bad} of {judged.requests} answers are wrong: {judged.sample}")
        return load.run(self.praxis.port, requests, connections, seconds, think)

    @contextmanager
    def serving(self, clinics: int) -> Iterator[None]:
        """With a server that keeps as many connections as so many clinics want: each knows up to 64, and some of a clinic."""
        self.praxis.start(PRAXIS_DATABASE_OPEN_CONNECTIONS=str(max(24, clinics // 32)))
        try:
            yield
        finally:
            self.praxis.stop()

    def memory(self) -> str:
        """Of the server and of Postgres with all its processes."""
        postgres = self.cluster.pid()
        backends = memory_mb(postgres) if postgres else 0.0
        return f"server {memory_mb(self.praxis.pid):.0f} MB, Postgres {backends:.0f} MB"


def arguments() -> argparse.Namespace:
    """What to do."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tenants", type=int, default=1_000, metavar="N", help="clinics to make and time (1000)")
    parser.add_argument("--more", type=int, default=0, metavar="N", help="clinics to read among beyond those")
    parser.add_argument("--seconds", type=int, default=10, metavar="S", help="length of a run (10)")
    parser.add_argument("--port", type=int, default=18_800, metavar="P", help="first of three ports (18800)")
    parser.add_argument("--program", type=Path, default=TARGET / "release" / "praxis", metavar="FILE")
    parser.add_argument("--folder", type=Path, default=TARGET / "bench-fleet", metavar="DIR", help="where data are kept")
    return parser.parse_args()


def told(name: str, text: str) -> None:
    """A line of the result."""
    print(f"{name:28} {text}", flush=True)


def creation(fleet: Fleet, count: int) -> None:
    """Making clinics: the first and the last alike, and from the warm pool."""
    made, seconds = fleet.create_up_to(count)
    if made:
        first, last = (statistics.mean(one.clinic for one in some) for some in (made[:FEW], made[-FEW:]))
        mean = statistics.mean(one.clinic for one in made)
        told(
            f"{len(made)} clinics made",
            f"{seconds / len(made) * 1_000:.0f} ms of wall clock each by {CREATE_AT_ONCE} workers; each took {mean:.0f} ms"
            f" (with its command {statistics.mean(one.command for one in made):.0f}), the first {FEW} {first:.0f},"
            f" the last {FEW} {last:.0f} (x{last / first:.2f})",
        )
    for what, template in (("empty", ()), ("filled", TEMPLATE[:2])):
        filled = fleet.praxis.run("tenant", "pool", "fill", "--size", str(FEW), *template)
        at = fleet.size() + 1
        claimed = [fleet.create(number) for number in range(at, at + FEW)]
        claims = sorted(one.clinic for one in claimed)
        told(
            f"claimed {what} from the pool",
            f"median {claims[FEW // 2]:.0f} ms, longest {claims[-1]:.0f}; with its command"
            f" {statistics.median(one.command for one in claimed):.0f}; filling {filled['mean_ms']} ms each",
        )


def nothing_to_do(fleet: Fleet) -> None:
    """The fastest of three: the others show what else the machine did."""
    took = []
    for _ in range(3):
        begun = time.perf_counter()
        fleet.praxis.run("migrate", "up")
        took.append((time.perf_counter() - begun) * 1_000)
    told("migrate up, nothing", f"{min(took):.0f} ms over {fleet.size()} clinics ({', '.join(f'{t:.0f}' for t in took)})")


def reading(fleet: Fleet, sizes: list[int], seconds: int) -> None:
    """Point reads over one clinic and over many."""
    with fleet.serving(max(sizes)):
        filled = fleet.people(max(sizes))
    with fleet.serving(max(sizes)):
        targets = fleet.targets(filled)
        for size in sizes:
            # Until each was asked a few times.
            fleet.read(targets[:size], 32, 5 + size // 50)
            alone = fleet.read(targets[:size], 1, seconds)
            many = fleet.read(targets[:size], 32, seconds)
            told(
                f"read over {size} clinics",
                f"1 connection: p50 {alone.p50:.2f} ms, p99 {alone.p99:.2f}; 32: p50 {many.p50:.1f},"
                f" p99 {many.p99:.1f}, {many.requests / many.seconds:.0f} req/s; {fleet.memory()}",
            )
        # One token for each would run out while many sign in: those who read meanwhile come from some clinics.
        some = fleet.targets(filled[:FEW])
        quiet = fleet.read(some, READERS, seconds, THINK_MS)
        with creating(fleet) as made:
            busy = fleet.read(some, READERS, seconds, THINK_MS)
        told(
            "read while making",
            f"p99 {quiet.p99:.1f} ms quiet, {busy.p99:.1f} while {len(made)} clinics were made (p50 {quiet.p50:.1f},"
            f" {busy.p50:.1f}); errors {busy.errors}",
        )


@contextmanager
def creating(fleet: Fleet) -> Iterator[list[Made]]:
    """Makes one clinic after the other all the while."""
    stop, made = threading.Event(), []

    def make() -> None:
        number = fleet.size()
        while not stop.is_set():
            number += 1
            made.append(fleet.create(number))

    worker = threading.Thread(target=make)
    worker.start()
    try:
        yield made
    finally:
        stop.set()
        worker.join()


def run(options: argparse.Namespace) -> None:
    """The whole of it."""
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    cluster = Cluster(folder / "pg", options.port + 2)
    praxis = Praxis(options.program.resolve(), folder, "", options.port)
    fleet = Fleet(praxis, cluster)
    try:
        fleet.begin()
        praxis.run("migrate", "up")
        creation(fleet, options.tenants)
        nothing_to_do(fleet)
        sizes = [1, options.tenants]
        if options.more:
            fleet.begin(filling=True)
            fleet.create_up_to(options.tenants + options.more)
            fleet.begin()
            nothing_to_do(fleet)
            sizes.append(options.tenants + options.more)
        reading(fleet, sizes, options.seconds)
    finally:
        praxis.stop()
        cluster.stop()


def main() -> None:
    """Runs it and tells what whoever runs it can put right."""
    try:
        run(arguments())
    except BenchError as error:
        raise SystemExit(f"error: {error}") from None


if __name__ == "__main__":
    main()

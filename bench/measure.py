"""Measuring one document: answers are looked into first, then counted."""

import math
import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import load
from cluster import BenchError
from documents import Document
from installation import Installation
from load import Result, Target
from meter import Meter, calibrate, memory_mb
from rows import Row
from server import Client, check

# 1,000 connections that wait four seconds on average: 250 requests per second are offered.
CROWD, THINK_MS, CROWD_SECONDS = 1_000, 4_000, 8
ATTEMPTS = 3

Play = Callable[[int, int, int], Result]


class Calendar:
    """Times to book that nobody booked before, beyond those the clinics were filled with; kept between runs."""

    FIRST_DAY, LAST_DAY, SLOTS_A_DAY = 250, 700, 96

    def __init__(self, folder: Path) -> None:
        self.file = folder / "booked"
        if not self.file.exists():
            today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
            self._note(0, int(today) + self.FIRST_DAY * 86_400)
        self.used, self.first = map(int, self.file.read_text().split())
        if self.used > (self.LAST_DAY - self.FIRST_DAY) * self.SLOTS_A_DAY:
            raise BenchError("all times of these clinics are booked: start anew with --reset")

    def take(self, slots: int) -> None:
        """Notes that so many times of every practitioner are used."""
        self.used += slots
        self._note(self.used, self.first)

    def _note(self, used: int, first: int) -> None:
        self.file.write_text(f"{used} {first}")


def measure(
    installation: Installation, document: Document, targets: list[Target], seconds: int, plan: list[tuple[int, int]]
) -> Iterator[Row]:
    """The rows of a document, for each number of connections and think time of the plan."""
    requests = installation.folder / f"{document.name}.requests"
    calendar = Calendar(installation.folder)
    shortest = ask_once(installation.port, document, targets[:5], calendar)
    prepared = load.prepare(document, targets, requests)

    def play(connections: int, seconds: int, think: int, judge: bool = False) -> Result:
        stamp = (calendar.used * prepared, calendar.first) if document.stamped else None
        result = load.run(installation.port, requests, connections, seconds, think, judge, stamp)
        if stamp:
            # What was under way when the load generator stopped may be booked as well.
            calendar.take(math.ceil((result.requests + connections) / prepared))
        return result

    # Warms up everything there is to warm, too.
    judged = play(32, max(1, seconds // 2), 0, judge=True)
    if judged.bad or judged.errors:
        raise BenchError(f"{document.name}: {judged.bad} of {judged.requests} answers are wrong: {judged.sample}")
    for connections, think in plan:
        for _attempt in range(ATTEMPTS):
            row = one_row(installation, document, connections, think, seconds, play)
            if not row.busy:
                break
        if row.bytes < 0.9 * min(shortest, judged.length):
            raise BenchError(f"{document.name}: answers under load are shorter than those that were looked into")
        yield row


def one_row(
    installation: Installation, document: Document, connections: int, think: int, seconds: int, play: Play
) -> Row:
    """One run with what it cost."""
    before = calibrate()
    meter = Meter(installation.praxis.pid, installation.postgres)
    result = play(connections, max(CROWD_SECONDS, seconds) if think else seconds, think)
    cost = meter.stop(result.generator)
    thousands = max(1, result.requests) / 1_000
    return Row(
        document=document.name,
        connections=connections,
        think_ms=think,
        requests_per_s=round(result.requests / result.seconds, 1),
        p50=result.p50,
        p95=result.p95,
        p99=result.p99,
        max=result.max,
        errors=result.errors,
        server_cpu=round(cost.server / thousands, 4),
        postgres_cpu=None if cost.postgres is None else round(cost.postgres / thousands, 4),
        generator_cpu=round(result.generator / thousands, 4),
        memory_mb=round(memory_mb(installation.praxis.pid), 1),
        bytes=round(result.length),
        other_cores=round(cost.other / result.seconds, 2),
        calibration_ms=round(max(before, calibrate()), 2),
    )


def ask_once(port: int, document: Document, targets: list[Target], calendar: Calendar) -> int:
    """Asks some clinics and refuses wrong answers. The length of the shortest right one."""
    draw, lengths = random.Random(7), []
    for target in targets:
        client = Client(port, target.slug, target.token)
        variables = document.variables(draw, target.ids)
        if document.stamped:
            starts_at = datetime.fromtimestamp(calendar.first + calendar.used * 900, UTC)
            variables["input"]["startsAt"] = f"{starts_at:%Y-%m-%dT%H:%M:%SZ}"
            variables["key"] = f"once-{time.time_ns()}"
        answer, length = client.post("/graphql", document.body(variables))
        client.close()
        check(answer)
        lengths.append(length)
    if document.stamped:
        calendar.take(1)
    return min(lengths)

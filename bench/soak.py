"""A long run: whether memory, cost and latency stay what they were."""

import time
from collections.abc import Iterator

from clinic import Filled
from documents import Document
from installation import Installation
from measure import measure
from rows import Row, line

FIGURES = {
    "MB": "memory_mb",
    "CPU ms server": "server_cpu",
    "Postgres": "postgres_cpu",
    "p50 ms": "p50",
    "p99": "p99",
    "machine ms": "calibration_ms",
}


def soak(
    installation: Installation, filled: list[Filled], documents: list[Document], minutes: float, plan: tuple[int, int]
) -> Iterator[Row]:
    """Asks the documents in turn, seconds at so many connections, until the time is over; prints each row."""
    connections, seconds = plan
    begun = time.monotonic()
    while (passed := time.monotonic() - begun) < minutes * 60:
        for document in documents:
            targets = installation.sign_in(filled, document.reader)
            for row in measure(installation, document, targets, seconds, [(connections, 0)]):
                print(f"{passed / 60:4.0f} min {line(row)}", flush=True)
                yield row


def changes(rows: list[Row]) -> list[str]:
    """What the last third of the rounds shows beside the first, but for the very first round, which warms up."""
    told = []
    for document in dict.fromkeys(row.document for row in rows):
        rounds = [row for row in rows if row.document == document]
        if len(rounds) < 3:
            told.append(f"{document:3} was asked in {len(rounds)} rounds: three are the least to say what changed")
            continue
        part = max(1, (len(rounds) - 1) // 3)
        first, last = rounds[1 : 1 + part], rounds[-part:]
        figures = [f"{name} {mean(first, field):.3g} -> {mean(last, field):.3g}" for name, field in FIGURES.items()]
        told.append(f"{document:3} {', '.join(figures)}, errors {sum(row.errors for row in rounds)}")
    return told


def mean(rows: list[Row], field: str) -> float:
    """The mean of a field, which may be unknown."""
    return sum(getattr(row, field) or 0 for row in rows) / len(rows)

"""Measured rows: one run of a document at a number of connections, as a line of the table and of the file."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

# More of the machine than this taken by others, or a machine this much slower than at its best, spoils a row.
OTHERS, SLOWER = 0.2, 1.25


@dataclass(frozen=True)
class Row:
    """What one run showed. CPU is in seconds per 1,000 requests, times are in milliseconds."""

    document: str
    connections: int
    think_ms: int
    requests_per_s: float
    p50: float
    p95: float
    p99: float
    max: float
    errors: int
    server_cpu: float
    postgres_cpu: float | None
    generator_cpu: float
    memory_mb: float
    bytes: float
    other_cores: float
    calibration_ms: float

    @property
    def busy(self) -> bool:
        """Whether other programs took part of the machine."""
        return self.other_cores > OTHERS


HEAD = (
    f"{'':5} {'conn':>5} {'think':>6} {'req/s':>8} {'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8} {'err':>4} "
    f"{'server':>7} {'pg':>7} {'MB':>5} {'bytes':>7} {'other':>5} {'cal ms':>6}"
)


def line(row: Row) -> str:
    """A row of the table."""
    postgres = "-" if row.postgres_cpu is None else f"{row.postgres_cpu:.3f}"
    return (
        f"{row.document:5} {row.connections:>5} {row.think_ms:>6} {row.requests_per_s:>8.0f} "
        f"{row.p50:>8.2f} {row.p95:>8.2f} {row.p99:>8.2f} {row.errors:>4} {row.server_cpu:>7.3f} {postgres:>7} "
        f"{row.memory_mb:>5.0f} {row.bytes:>7.0f} {row.other_cores:>5.2f} {row.calibration_ms:>6.1f}"
        f"{'  disturbed' if row.busy else ''}"
    )


def verdict(rows: list[Row]) -> list[str]:
    """Which rows not to believe."""
    best = min((row.calibration_ms for row in rows), default=0.0)
    slow = [row for row in rows if row.calibration_ms > best * SLOWER]
    told = [f"{row.document} at {row.connections}: others took {row.other_cores:.2f} cores" for row in rows if row.busy]
    told += [
        f"{row.document} at {row.connections}: the machine took {row.calibration_ms:.1f} ms for what takes {best:.1f}"
        for row in slow
    ]
    return told


def steps(rows: list[Row], wanted: list[tuple[str, str, str]]) -> list[str]:
    """What each step of a request costs, in ms of CPU: what the second of two documents took more than the first."""
    told = []
    for connections in sorted({row.connections for row in rows}):
        at = {row.document: row for row in rows if row.connections == connections}
        for step, before, after in wanted:
            if before in at and after in at:
                server = at[after].server_cpu - at[before].server_cpu
                postgres = (at[after].postgres_cpu or 0) - (at[before].postgres_cpu or 0)
                told.append(f"{step:26} {connections:>5} connections: server {server:+.3f}, Postgres {postgres:+.3f} ms")
    return told


def append(row: Row, circumstances: dict[str, Any], file: Path) -> None:
    """Writes a row to the file of all rows, with what else was so in this run."""
    with file.open("a") as out:
        out.write(json.dumps(circumstances | asdict(row)) + "\n")

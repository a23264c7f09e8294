"""What processes cost: CPU seconds and memory of whole process trees, read from /proc."""

import hashlib
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Process:
    """One line of /proc/<pid>/stat: its parent, its own CPU time, and that of children already gone."""

    parent: int
    own: float
    reaped: float


def processes() -> dict[int, Process]:
    """All processes of this machine."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:  # it ended meanwhile
            continue
        times = [int(field) / TICKS_PER_SECOND for field in fields[11:15]]
        found[int(entry.name)] = Process(int(fields[1]), times[0] + times[1], times[2] + times[3])
    return found


def tree(root: int, among: dict[int, Process]) -> set[int]:
    """A process and all its descendants."""
    children: dict[int, list[int]] = {}
    for pid, process in among.items():
        children.setdefault(process.parent, []).append(pid)
    found, todo = set(), [root]
    while todo:
        pid = todo.pop()
        if pid in among and pid not in found:
            found.add(pid)
            todo += children.get(pid, [])
    return found


def cpu_seconds(root: int) -> float:
    """CPU time that a process and its descendants have used so far, the ended ones included."""
    now = processes()
    ended = now[root].reaped if root in now else 0.0
    return sum(now[pid].own for pid in tree(root, now)) + ended


def memory_mb(root: int) -> float:
    """Proportional set size of a process and its descendants: shared pages count once."""
    total = 0
    for pid in tree(root, processes()):
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def machine_seconds() -> float:
    """CPU time that everything on this machine has used so far."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    user, nice, system, _idle, _iowait, irq, softirq = map(int, fields[:7])
    return (user + nice + system + irq + softirq) / TICKS_PER_SECOND


def calibrate() -> float:
    """Milliseconds for a fixed piece of work, the best of three: a slower machine shows here."""

    def once() -> float:
        begun = time.perf_counter()
        hashlib.pbkdf2_hmac("sha256", b"bench", b"bench", 40_000)
        return (time.perf_counter() - begun) * 1_000

    return min(once() for _ in range(3))


@dataclass(frozen=True)
class Cost:
    """What a stretch of time cost."""

    server: float
    postgres: float | None
    other: float


class Meter:
    """Reads the clocks of server, Postgres and machine at two moments."""

    def __init__(self, server: int, postgres: int | None) -> None:
        self.roots: Iterable[int | None] = (server, postgres)
        self.begun = self._read()

    def _read(self) -> tuple[float, float | None, float]:
        server, postgres = (None if root is None else cpu_seconds(root) for root in self.roots)
        return server or 0.0, postgres, machine_seconds()

    def stop(self, load_generator: float) -> Cost:
        """The cost since the beginning; `load_generator` is no other program's."""
        then, now = self.begun, self._read()
        server = now[0] - then[0]
        postgres = None if now[1] is None or then[1] is None else now[1] - then[1]
        other = now[2] - then[2] - server - (postgres or 0.0) - load_generator
        return Cost(server, postgres, max(0.0, other))

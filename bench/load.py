"""Load: requests prepared here, sent by wrk."""

import json
import os
import random
import re
import resource
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from clinic import Filled
from cluster import BenchError
from documents import Document
from server import BASE_DOMAIN

SCRIPT = Path(__file__).with_name("load.lua")
PREPARED = 2_000


@dataclass(frozen=True)
class Target:
    """A clinic to ask: its slug, the token of who asks (empty: nobody), and its ids."""

    slug: str
    token: str
    ids: Filled


@dataclass(frozen=True)
class Result:
    """What wrk saw."""

    requests: int
    seconds: float
    bytes: int
    errors: int
    bad: int
    p50: float
    p95: float
    p99: float
    max: float
    generator: float
    sample: str

    @property
    def length(self) -> float:
        """Mean length of an answer, its head included."""
        return self.bytes / max(1, self.requests)


def require_wrk() -> None:
    """The load generator must be there before anything long begins."""
    if not shutil.which("wrk"):
        raise BenchError("wrk is missing: run `PRAXIS_BENCH=1 scripts/setup`, or install the package `wrk`")


def prepare(document: Document, targets: list[Target], file: Path) -> int:
    """Writes the requests of a document, the clinics in rotation. How many they are."""
    draw = random.Random(42)
    if document.stamped:
        # Each practitioner once, so that a time is free when its turn comes again.
        asked = [
            (target, replace(target.ids, practitioners=[one])) for target in targets for one in target.ids.practitioners
        ]
        draw.shuffle(asked)
    else:
        rotation = (targets[at % len(targets)] for at in range(max(PREPARED, len(targets))))
        asked = [(target, target.ids) for target in rotation]
    with file.open("wb") as out:
        for target, ids in asked:
            body = json.dumps(document.body(document.variables(draw, ids)), separators=(",", ":"))
            request = raw(target, body.encode())
            out.write(b"%d\n%s" % (len(request), request))
    return len(asked)


def raw(target: Target, body: bytes) -> bytes:
    """A request as it goes over the wire."""
    authorization = f"Authorization: Bearer {target.token}\r\n" if target.token else ""
    head = (
        "POST /graphql HTTP/1.1\r\n"
        f"Host: {target.slug}.{BASE_DOMAIN}\r\n{authorization}"
        "Content-Type: application/json\r\nAccept: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def run(
    port: int,
    requests: Path,
    connections: int,
    seconds: int,
    think: int = 0,
    judge: bool = False,
    stamp: tuple[int, int] | None = None,
) -> Result:
    """Sends the requests for so long over so many connections."""
    settings = {"REQUESTS": str(requests), "THINK": str(think)}
    if stamp:
        settings |= {"SERIAL": str(stamp[0]), "FIRST": str(stamp[1])}
    if judge:
        settings["JUDGE"] = "1"
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "15s", "-s", str(SCRIPT)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [*command, f"http://127.0.0.1:{port}/graphql"],
        capture_output=True,
        text=True,
        env=os.environ | settings,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = re.search(r"^RESULT (.*)$", done.stdout, re.MULTILINE)
    if not found:
        raise BenchError(f"wrk ended without a result: {done.stdout[-500:]} {done.stderr[-500:]}")
    sample = re.search(r"^BAD (.*)$", done.stdout, re.MULTILINE)
    generator = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Result(**json.loads(found[1]), generator=generator, sample=sample[1] if sample else "")

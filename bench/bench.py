#!/usr/bin/env python3
"""Measures Praxis as it is shipped: real clinics and sessions, with policies, sealing and audit. See README.md."""

import argparse
import os
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import join
import load
from clinic import Clinic, Filled
from cluster import BenchError
from documents import DOCUMENTS, STEPS
from installation import Installation
from measure import CROWD, THINK_MS, measure
from rows import HEAD, append, line, steps, verdict
from soak import changes, soak

# A token is good for ten minutes. Seldom, for checking the passwords of all clinics takes the server a while.
RENEW_S = 480
STARTS = 3
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", Path(__file__).resolve().parent.parent / "target"))


def arguments() -> argparse.Namespace:
    """What to do."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tenants", type=int, default=50, metavar="N", help="clinics (50)")
    parser.add_argument("--scale", type=float, default=1, metavar="X", help="size of a clinic: 1 is 1,000 patients")
    parser.add_argument("--documents", default=",".join(DOCUMENTS), metavar="Q1,Q2", help="which questions")
    parser.add_argument("--connections", default="1,32,256", metavar="N,N", help="how many at once (1,32,256)")
    parser.add_argument("--seconds", type=int, default=3, metavar="S", help="length of a run (3)")
    parser.add_argument("--no-think", action="store_true", help="leave out the 1,000 connections with think time")
    parser.add_argument("--fill-only", action="store_true", help="fill the clinics, measure nothing")
    parser.add_argument("--join", type=Path, metavar="FILE", help="serve for the peers' kit until Ctrl-C")
    parser.add_argument("--soak", type=float, metavar="MIN", help="ask so long, and say what changed meanwhile")
    parser.add_argument("--tcp", action="store_true", help="reach Postgres by TCP, not by its Unix socket")
    parser.add_argument("--port", type=int, default=18_700, metavar="P", help="first of three ports (18700)")
    parser.add_argument("--program", type=Path, default=TARGET / "release" / "praxis", metavar="FILE")
    parser.add_argument("--folder", type=Path, default=TARGET / "bench", metavar="DIR", help="where data are kept")
    parser.add_argument("--output", type=Path, metavar="FILE", help="the rows as NDJSON (rows.ndjson in the folder)")
    parser.add_argument("--reset", action="store_true", help="remove what is kept and start anew")
    return parser.parse_args()


def run(options: argparse.Namespace) -> None:
    """The whole benchmark."""
    asked = options.documents.split(",")
    if unknown := set(asked) - set(DOCUMENTS):
        raise BenchError(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(DOCUMENTS)}")
    if not options.program.exists():
        raise BenchError(f"{options.program} is missing: run `cargo build --release --locked`")
    if not options.fill_only and not options.join:
        load.require_wrk()
    clinics = [Clinic(number, round(1_000 * options.scale)) for number in range(1, options.tenants + 1)]
    installation = Installation(options.program, options.folder, options.port, not options.tcp, clinics)
    if options.reset:
        installation.reset()
    try:
        filled = installation.fill()
        if options.fill_only:
            return
        installation.start()
        if options.join:
            serve_peers(installation, filled, options.join)
        elif options.soak:
            long_run(installation, filled, options, asked)
        else:
            table(installation, filled, options, asked)
    finally:
        installation.stop()


def table(installation: Installation, filled: list[Filled], options: argparse.Namespace, asked: list[str]) -> None:
    """Measures everything and prints a row for each."""
    first = installation.sign_in(filled)[0]
    starts = [installation.restart(first) for _ in range(STARTS)]
    for ready, answered in starts:
        print(f"cold start: ready after {ready:.0f} ms, first answer after {answered:.0f} ms")
    circumstances = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "tenants": options.tenants,
        "scale": options.scale,
        "cold_start_ms": round(min(ready for ready, _ in starts)),
    }
    print(HEAD, flush=True)
    plain = [(int(connections), 0) for connections in options.connections.split(",")]
    rows = []
    for document in (DOCUMENTS[name] for name in asked):
        crowd = [(CROWD, THINK_MS)] if document.thinking and not options.no_think else []
        # A token is good for ten minutes: each document gets new ones.
        targets = installation.sign_in(filled, document.reader)
        for row in measure(installation, document, targets, options.seconds, plain + crowd):
            rows.append(row)
            append(row, circumstances, options.output or installation.folder / "rows.ndjson")
            print(line(row), flush=True)
    for told in steps(rows, STEPS):
        print(told)
    for told in verdict(rows):
        print(f"not to be believed: {told}")


def long_run(installation: Installation, filled: list[Filled], options: argparse.Namespace, asked: list[str]) -> None:
    """Asks for a long while, at the last of the numbers of connections, and says what changed."""
    plan = (int(options.connections.split(",")[-1]), options.seconds)
    rows = list(soak(installation, filled, [DOCUMENTS[name] for name in asked], options.soak, plan))
    print("first rounds -> last rounds")
    for told in changes(rows):
        print(told)


def serve_peers(installation: Installation, filled: list[Filled], file: Path) -> None:
    """Keeps the server up, and the JOIN files' tokens fresh."""
    while True:
        data = installation.cluster.data if installation.cluster else None
        join.write(file, installation.sign_in(filled), data)
        print(f"{datetime.now():%H:%M:%S} wrote {file}; Ctrl-C ends", flush=True)
        time.sleep(RENEW_S)


if __name__ == "__main__":
    # However it is ended, it stops what it started; a shell's background job would not heed SIGINT by itself.
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    try:
        run(arguments())
    except BenchError as error:
        sys.exit(f"bench: {error}")
    except KeyboardInterrupt:
        sys.exit(130)

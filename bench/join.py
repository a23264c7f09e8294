"""Takes part in the peers' kit: the files by which another benchmark asks this server."""

import json
from pathlib import Path
from typing import Any

from documents import DOCUMENTS, booking
from load import Target
from server import BASE_DOMAIN


def bodies(year: int) -> dict[str, str]:
    """Request bodies with the kit's placeholders; the year is the same for all clinics. The kit knows of no cursors: they come in its place for practitioners."""
    one, page = {"id": "$PID"}, {"after": "$PROV"}
    booked = {"input": booking("$PID", "$PROV", "$START"), "key": "$N"}
    variables: dict[str, dict[str, Any]] = {"Q1": one, "Q2": page, "Q3": one, "Q4": booked, "Q6": page}
    variables["Q5"] = {"year": year}
    return {name: json.dumps(DOCUMENTS[name].body(drawn)) for name, drawn in variables.items()}


def write(file: Path, targets: list[Target], data: Path | None) -> None:
    """Writes the JOIN file of the questions, beside it the one of Q4, and the documents into the folder `praxis`."""
    folder = file.resolve().parent / "praxis"
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in bodies(targets[0].ids.year).items():
        (folder / f"{name}.json").write_text(body)
    cursors = [target.ids.pages() for target in targets]
    practitioners = [target.ids.practitioners for target in targets]
    write_one(file, targets, cursors, data)
    write_one(file.with_name(f"{file.stem}-q4{file.suffix}"), targets, practitioners, data)


def write_one(file: Path, targets: list[Target], second: list[list[str]], data: Path | None) -> None:
    """One JOIN file, whole or not at all: host, header, patients, and what goes with them."""
    lines = [f"#pgdata {data}"] if data else []
    for target, others in zip(targets, second, strict=True):
        host = f"{target.slug}.{BASE_DOMAIN}"
        lines.append("\t".join([host, f"Bearer {target.token}", ",".join(target.ids.patients), ",".join(others)]))
    unfinished = file.with_suffix(".unfinished")
    unfinished.write_text("\n".join(lines) + "\n")
    unfinished.replace(file)

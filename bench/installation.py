"""The installation that is measured: database, server and clinics."""

import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from clinic import PASSWORD, PHYSICIAN, Clinic, Filled, fill
from cluster import BenchError, Cluster, folder_of, postmaster
from documents import DOCUMENTS, manifest
from load import Target
from server import Client, Praxis, check

AT_ONCE = max(2, (os.cpu_count() or 1) * 3 // 2)


class Installation:
    """Made and filled once, and kept in a folder; DATABASE_URL may name a database instead of a cluster of its own."""

    def __init__(self, program: Path, folder: Path, port: int, by_socket: bool, clinics: list[Clinic]) -> None:
        self.folder, self.port, self.by_socket, self.clinics = folder.resolve(), port, by_socket, clinics
        given = os.environ.get("DATABASE_URL")
        self.cluster = None if given else Cluster(self.folder / "pg", port + 2)
        self.praxis = Praxis(program.resolve(), self.folder, given or "", port)
        self.postgres: int | None = None

    def reset(self) -> None:
        """Removes everything."""
        if self.cluster is None:
            raise BenchError("--reset removes the benchmark's own database only; empty the given one yourself")
        self.cluster.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def stop(self) -> None:
        """Stops what was started."""
        self.praxis.stop()
        if self.cluster:
            self.cluster.stop()

    def start(self) -> None:
        """Starts database and server for measuring; Q6 is registered on the way."""
        self._start_database(filling=False)
        self.praxis.run("migrate", "up")
        file = self.folder / "operations.json"
        file.write_text(manifest())
        self.praxis.run("operations", "push", "--all", str(file))
        self._serve()

    def fill(self) -> list[Filled]:
        """Makes and fills what clinics are missing, some at a time: each waits for the database half of its time."""
        known = [Filled.of(self.folder, clinic) for clinic in self.clinics]
        missing = [clinic for clinic, filled in zip(self.clinics, known, strict=True) if not filled.complete]
        if not missing:
            return known
        print(f"filling {len(missing)} clinics", flush=True)
        self._start_database(filling=True)
        self.praxis.run("migrate", "up")
        begun = time.monotonic()
        self.praxis.start()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            filled = list(pool.map(lambda clinic: fill(self.praxis, clinic), self.clinics))
        print(f"filled in {time.monotonic() - begun:.0f} s; waiting for the work that follows", flush=True)
        for clinic in self.clinics:
            self._settle(clinic)
        self.praxis.stop()
        if self.cluster:
            self.cluster.tidy(self.praxis.database)
        return filled

    def sign_in(self, filled: list[Filled], reader: str = PHYSICIAN) -> list[Target]:
        """Somebody of each clinic, or nobody."""

        def one(clinic: Clinic, ids: Filled) -> Target:
            if not reader:
                return Target(clinic.slug, "", ids)
            client = Client(self.port, clinic.slug)
            token = client.sign_in(reader, PASSWORD)
            client.close()
            return Target(clinic.slug, token, ids)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(one, self.clinics, filled))

    def restart(self, target: Target) -> tuple[float, float]:
        """Starts the server anew over its database: milliseconds until it is ready, and until a first right answer."""
        self.praxis.stop()
        begun = time.perf_counter()
        ready = self._serve()
        client = Client(self.port, target.slug, target.token)
        answer, _ = client.post("/graphql", DOCUMENTS["Q1"].body({"id": target.ids.patients[0]}))
        answered = (time.perf_counter() - begun) * 1_000
        client.close()
        check(answer)
        return ready, answered

    def _serve(self) -> float:
        """Starts the server, which keeps a connection open for each of some dozens of clinics; milliseconds until ready."""
        return self.praxis.start(PRAXIS_DATABASE_OPEN_CONNECTIONS=str(max(24, min(64, len(self.clinics)))))

    def _start_database(self, filling: bool) -> None:
        if self.cluster:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.cluster.stop()
            self.cluster.start(filling)
            self.praxis.database = self.cluster.url(self.by_socket)
        data = folder_of(self.praxis.database)
        self.postgres = postmaster(data) if data else None

    def _settle(self, clinic: Clinic) -> None:
        """Waits until everybody was told of their appointments, which is nobody: there is no consent to it."""
        while self.praxis.run("job", "list", "--tenant", clinic.slug, "--name", "TELL_OF_BOOKING"):
            time.sleep(1)

"""The built program: its commands, its server, and a client of its API."""

import http.client
import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cluster import BenchError

BASE_DOMAIN = "bench.localhost"
NO_LIMIT = "1000000000"
# Variables of setup and tests, which the program would take for misspelt ones of its own.
NOT_ITS = {"PRAXIS_BENCH", "PRAXIS_PG_BIN"}
# What differs from a production's settings: nobody is slowed down, and only warnings are logged.
SETTINGS = {
    "PRAXIS_BASE_DOMAIN": BASE_DOMAIN,
    "PRAXIS_LOG": "warn",
    **{
        f"PRAXIS_RATES_{whose}_{what}": NO_LIMIT
        for whose in ("TENANT", "ACTOR", "STRANGER")
        for what in ("POINTS", "RESTORE")
    },
}


@dataclass
class Praxis:
    """An installation: the program, its folder and its database."""

    program: Path
    folder: Path
    database: str
    port: int
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def environment(self, **more: str) -> dict[str, str]:
        """Settings of one's own (PRAXIS_WORKER=false make bench) go before those of the benchmark."""
        own = {name: value for name, value in os.environ.items() if name.startswith("PRAXIS_") and name not in NOT_ITS}
        places = {
            "DATABASE_URL": self.database,
            "PRAXIS_ROOT_KEY_FILE": str(self.folder / "root.key"),
            "PRAXIS_AUDIT_HEADS": str(self.folder / "heads"),
            "PRAXIS_LISTEN": f"127.0.0.1:{self.port}",
            "PRAXIS_ADMIN_LISTEN": f"127.0.0.1:{self.port + 1}",
        }
        return {"PATH": os.environ.get("PATH", ""), **SETTINGS, **own, **places, **more}

    def run(self, *arguments: str, stdin: str = "", accept: tuple[int, ...] = (0,)) -> Any:
        """Runs a command and reads its answer."""
        command = [str(self.program), "-o", "json", *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, env=self.environment(), check=False)
        if done.returncode not in accept:
            what = " ".join(arguments)
            raise BenchError(f"`praxis {what}` ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
        try:
            return json.loads(done.stdout)
        except ValueError:
            return None

    def start(self, **settings: str) -> float:
        """Starts the server and waits until it is ready. How many milliseconds that took."""
        log = (self.folder / "server.log").open("ab")
        begun = time.perf_counter()
        self.process = subprocess.Popen(
            [str(self.program), "serve"], stdout=log, stderr=log, env=self.environment(**settings)
        )
        while not self._ready():
            if self.process.poll() is not None:
                tail = (self.folder / "server.log").read_text()[-2000:]
                raise BenchError(f"the server ended at its start:\n{tail}")
            if time.perf_counter() - begun > 60:
                self.stop()
                raise BenchError(f"the server is not ready after a minute: see {self.folder}/server.log")
            time.sleep(0.001)
        return (time.perf_counter() - begun) * 1_000

    def _ready(self) -> bool:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port + 1, timeout=5)
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except OSError:
            return False

    def stop(self) -> None:
        """Stops the server as an operator would."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    @property
    def pid(self) -> int:
        """The process of the server."""
        if self.process is None:
            raise BenchError("the server does not run")
        return self.process.pid


class Client:
    """A connection to one clinic's API, signed in once asked to."""

    def __init__(self, port: int, slug: str, token: str | None = None) -> None:
        self.host, self.token = f"{slug}.{BASE_DOMAIN}", token
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def post(self, path: str, body: Any) -> tuple[Any, int]:
        """Sends JSON; the answer, and how long its text is."""
        headers = {"Host": self.host, "Content-Type": "application/json", "Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        self.connection.request("POST", path, json.dumps(body), headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise BenchError(f"{self.host}{path} answered {answer.status}: {text[:500].decode()}")
        return json.loads(text), len(text)

    def sign_in(self, email: str, password: str) -> str:
        """Signs in; the access token is good for ten minutes."""
        answer, _ = self.post("/auth/login", {"email": email, "password": password})
        if "accessToken" not in answer:
            raise BenchError(f"signing in to {self.host} needs more than a password: {answer}")
        self.token = str(answer["accessToken"])
        return self.token

    def ask(self, document: str, variables: dict[str, Any] | None = None) -> Any:
        """Runs an operation that must succeed."""
        answer, _ = self.post("/graphql", {"query": document, "variables": variables or {}})
        check(answer)
        return answer["data"]

    def close(self) -> None:
        """Lets go of the connection."""
        self.connection.close()


def check(answer: Any) -> None:
    """Refuses an answer with errors, those of its mutations included."""
    if "errors" in answer:
        raise BenchError(f"an operation failed: {json.dumps(answer['errors'])[:1000]}")
    for payload in (answer.get("data") or {}).values():
        if isinstance(payload, dict) and payload.get("userErrors"):
            raise BenchError(f"a mutation was refused: {json.dumps(payload['userErrors'])[:1000]}")

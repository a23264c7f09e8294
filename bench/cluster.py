"""A PostgreSQL of the benchmark's own, kept in one folder and reached on loopback only."""

import os
import pwd
import re
import secrets
import shutil
import subprocess
from pathlib import Path

# What a careful installation on a machine of this size would set. Durable: a commit is on disk.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "max_locks_per_transaction": "512",
    "shared_buffers": "2GB",
    "effective_cache_size": "8GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "fsync": "on",
    "synchronous_commit": "on",
}
# While clinics are filled: what a crash takes is filled again.
WHILE_FILLING = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "512MB",
}


class BenchError(Exception):
    """Something that whoever runs the benchmark can put right."""


def binaries() -> Path:
    """The folder of the newest PostgreSQL server; PRAXIS_PG_BIN names another one."""
    if given := os.environ.get("PRAXIS_PG_BIN"):
        return Path(given)

    def version(folder: Path) -> int:
        return int(re.sub(r"\D", "", folder.parent.name) or 0)

    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=version)
    on_path = shutil.which("postgres")
    if on_path:
        found.append(Path(on_path).resolve().parent)
    complete = [folder for folder in found if (folder / "initdb").exists()]
    if not complete:
        raise BenchError("PostgreSQL is missing: run `make setup`, or name its folder in PRAXIS_PG_BIN")
    return complete[-1]


class Cluster:
    """A private cluster. As root it runs as the account `postgres`, for PostgreSQL refuses root."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder.resolve(), port
        self.data = self.folder / "data"
        self.account = pwd.getpwnam("postgres") if os.getuid() == 0 else None
        self.sockets = Path("/tmp") / f"praxis-bench-{port}"

    def _run(self, program: str, *arguments: str) -> None:
        account = self.account
        command = [str(binaries() / program), *arguments]
        # pg_ctl's server would hold a pipe open: its output goes to a file.
        with (self.folder / "commands.log").open("a") as log:
            done = subprocess.run(
                command,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                check=False,
                user=account.pw_uid if account else None,
                group=account.pw_gid if account else None,
                extra_groups=[] if account else None,
            )
        if done.returncode != 0:
            raise BenchError(f"{program} failed: see {self.folder}/commands.log and {self.folder}/postgres.log")

    def start(self, filling: bool = False) -> None:
        """Starts it, making it first if need be."""
        for folder in (self.folder, self.sockets):
            folder.mkdir(parents=True, exist_ok=True)
            if self.account:
                os.chown(folder, self.account.pw_uid, self.account.pw_gid)
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        settings = SETTINGS | (WHILE_FILLING if filling else {})
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        options += f" -c port={self.port} -c unix_socket_directories={self.sockets}"
        log = str(self.folder / "postgres.log")
        self._run("pg_ctl", "start", "-w", "-D", str(self.data), "-l", log, "-o", options)

    def _initialise(self) -> None:
        password = self.folder / "password"
        password.write_text(secrets.token_hex(16))
        password.chmod(0o600)
        if self.account:
            os.chown(password, self.account.pw_uid, self.account.pw_gid)
        arguments = ["-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8"]
        self._run("initdb", "-D", str(self.data), f"--pwfile={password}", *arguments)

    def stop(self) -> None:
        """Stops it, with everything written down."""
        if self.pid() is not None:
            self._run("pg_ctl", "stop", "-w", "-D", str(self.data), "-m", "fast")

    def tidy(self, url: str) -> None:
        """Leaves nothing for the background to do after filling: statistics, dead rows, dirty pages."""
        self._run("vacuumdb", "--analyze", "--jobs=2", f"--dbname={url}")
        self._run("psql", url, "-Xqc", "CHECKPOINT")

    def pid(self) -> int | None:
        """The process of the server, if it runs."""
        return postmaster(self.data)

    def url(self, by_socket: bool) -> str:
        """Its address for the superuser."""
        password = (self.folder / "password").read_text()
        where = f"?host={self.sockets}" if by_socket else ""
        host = "localhost" if by_socket else "127.0.0.1"
        return f"postgres://postgres:{password}@{host}:{self.port}/postgres{where}"


def postmaster(data: Path) -> int | None:
    """The process that serves a data folder, if it can be seen from here."""
    try:
        pid = int((data / "postmaster.pid").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None
    return pid if Path(f"/proc/{pid}").exists() else None


def folder_of(url: str) -> Path | None:
    """The data folder behind an address, if psql is here and may ask."""
    try:
        asked = ["psql", url, "-XAtqc", "SHOW data_directory"]
        return Path(subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip())
    except (OSError, subprocess.CalledProcessError):
        return None

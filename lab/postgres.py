"""A real PostgreSQL: Debian's, a server of its own that is thrown away, started in about a second.

`python -m lab.postgres` installs it when it is missing, and prints where its programs are. A server is not run by
root, which PostgreSQL refuses: root starts it as the user `postgres`, that the package makes.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from lab.debian_packages import PackageError, install

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PACKAGES = ("postgresql",)
USER = "orikaeshi"
PASSWORD = "only for a server that is thrown away"  # noqa: S105 - listens on loopback, and lives for one run
_FAMILY = Path("/usr/lib/postgresql")
_UNIX_USER = "postgres"
_START_S = 30
# No power fails here that a test could notice; what a kill of the server loses is nothing all the same.
_QUICK = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off"}
_SETTINGS = {
    "shared_buffers": "32MB",
    "max_connections": "60",
    "max_wal_size": "256MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "log_min_messages": "fatal",
    "log_timezone": "UTC",
    "timezone": "Asia/Tokyo",  # not UTC, so that whoever relies on the server's zone is found out
}


class PostgresError(Exception):
    """The server did not do what it was asked to; the message has what it said."""


def programs() -> Path:
    """Return the folder with `postgres`, `initdb` and `psql`, the newest, installed when missing.

    Raises PackageError.
    """
    found = _newest()
    if found is None:
        install(*PACKAGES)
        found = _newest()
    if found is None:
        raise PackageError(
            f"PostgreSQL is not in {_FAMILY}, where it should be; do it by hand: apt-get install postgresql"
        )
    return found


def _newest() -> Path | None:
    folders = [one for one in _FAMILY.glob("*/bin") if (one / "initdb").exists() and one.parent.name.isdigit()]
    return max(folders, key=lambda one: int(one.parent.name), default=None)


class Postgres:
    """A server in a folder: on a Unix socket, where it trusts, and on a port of loopback, where it asks a password.

    `settings` go over those of the lab, by their names in postgresql.conf. Every method raises PostgresError.
    """

    def __init__(self, folder: Path, *, is_durable: bool = False, settings: dict[str, str] | None = None) -> None:
        self._programs = programs()
        self.folder = folder
        self.port = _free_port()
        self._settings = _SETTINGS | ({} if is_durable else _QUICK) | (settings or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)
        self._initialise()

    def url(self, database: str, *, by_tcp: bool = False) -> str:
        """Return the address of a database, by the socket, or by the port and then with the password."""
        if by_tcp:
            return f"postgresql+asyncpg://{USER}:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{self.port}/{database}"
        return f"postgresql+asyncpg://{USER}@/{database}?host={self.folder}&port={self.port}"

    def start(self) -> None:
        """Start it, and return when it takes connections."""
        command = [str(self._programs / "postgres"), "-D", str(self.folder / "data")]
        log = self.folder / "server.log"
        with log.open("ab") as said:
            # It goes with its parent, however that ends: SIGQUIT makes it leave at once.
            self._process = subprocess.Popen(  # noqa: S603 - fixed commands, no shell
                [*_as_unprivileged("--pdeathsig=QUIT"), *command],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Return when it takes connections."""
        ready = [str(self._programs / "pg_isready"), "-q", "-h", str(self.folder), "-p", str(self.port)]
        for _ in range(_START_S * 20):
            if self._process is None or self._process.poll() is not None:
                raise PostgresError(f"the server ended as it started:\n{self._last_words()}")
            if subprocess.run(ready, check=False).returncode == 0:  # noqa: S603 - as above
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.05)
        raise PostgresError(f"the server takes no connections:\n{self._last_words()}")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it and wait for its end: SIGINT orderly, at once; SIGQUIT as a crash; SIGKILL its head alone first.

        https://www.postgresql.org/docs/15/server-shutdown.html
        """
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if how is signal.SIGKILL else os.kill)(self._process.pid, how)
        self._process.wait(_START_S)
        self._process = None

    def sql(self, text: str, *, database: str = "postgres") -> str:
        """Run statements as the superuser and return what they print, columns apart by `|`."""
        command = [str(self._programs / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
        where = ["-h", str(self.folder), "-p", str(self.port), "-U", _UNIX_USER, "-d", database]
        done = subprocess.run(  # noqa: S603 - as above
            [*command, *where], input=text, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise PostgresError(done.stderr.strip())
        return done.stdout.strip()

    def create(self, template: str | None = None) -> str:
        """Make a database of its own, empty or as a copy of another one, and return its name."""
        name = f"lab_{next(self._numbers)}"
        copied = "" if template is None else f" TEMPLATE {template}"
        self.sql(f"CREATE DATABASE {name} OWNER {USER}{copied}")
        return name

    def drop(self, name: str) -> None:
        """Remove a database, whoever has it open."""
        self.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _initialise(self) -> None:
        _give_away(self.folder)
        secret = self.folder / "password"
        secret.write_text(PASSWORD, encoding="utf-8")
        _give_away(secret)
        self._run("initdb", "-D", f"{self.folder}/data", "-U", _UNIX_USER, "-N", "--no-locale", "-E", "UTF8")
        lines = [f"{name} = '{value}'" for name, value in self._settings.items()]
        lines += [f"port = {self.port}", "listen_addresses = '127.0.0.1'", f"unix_socket_directories = '{self.folder}'"]
        with (self.folder / "data/postgresql.conf").open("a", encoding="utf-8") as file:
            file.write("\n".join([*lines, ""]))
        rules = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        (self.folder / "data/pg_hba.conf").write_text(rules, encoding="utf-8")

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(  # noqa: S603 - as above
            [*_as_unprivileged(), str(self._programs / program), *arguments],
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"},
        )
        if done.returncode:
            raise PostgresError(f"{program}: {done.stderr.strip()}")

    def _last_words(self) -> str:
        log = self.folder / "server.log"
        return "\n".join(log.read_text(errors="replace").splitlines()[-8:]) if log.exists() else ""


def _as_unprivileged(*options: str) -> Sequence[str]:
    """Return what to put before a command of the server: another user, where we are root."""
    if os.geteuid() != 0:
        return ["setpriv", *options] if options else []
    owner = pwd.getpwnam(_UNIX_USER)
    return ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups", *options]


def _give_away(path: Path) -> None:
    if os.geteuid() == 0:
        owner = pwd.getpwnam(_UNIX_USER)
        os.chown(path, owner.pw_uid, owner.pw_gid)


def _free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port: int = door.getsockname()[1]
        return port


@contextlib.contextmanager
def open_postgres(*, is_durable: bool = False, settings: dict[str, str] | None = None) -> Iterator[Postgres]:
    """Yield a server that runs, with the role `orikaeshi`, in a folder that is gone afterwards.

    `is_durable`: with fsync, as it is for real; for measurements. Raises PackageError, PostgresError.
    """
    folder = Path(tempfile.mkdtemp(prefix="orikaeshi-pg-"))
    try:
        server = Postgres(folder, is_durable=is_durable, settings=settings)
        server.start()
        try:
            server.sql(f"CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}'")
            yield server
        finally:
            server.stop(signal.SIGINT if is_durable else signal.SIGQUIT)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@cache
def shared_postgres() -> Postgres:
    """Return the one server of this process, started when it is first asked for, and stopped with the process."""
    stack = contextlib.ExitStack()
    server = stack.enter_context(open_postgres())
    atexit.register(stack.close)
    return server


def main() -> int:
    """Print where its programs are, and return 0; or say on stderr why there are none, and return 2."""
    try:
        print(programs())
    except PackageError as error:
        sys.stderr.write(f"postgres: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`make up`: PBX, simulated telephone network and controller, until Ctrl-C; accounts for softphones are printed.

The folder of the site is `var/` of the repository, or ORIKAESHI_HOME: promises survive from one time to the next.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import json
import math
import os
import signal
import socket
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from controller.first_start import FirstStart, accounts_text, first_start
from controller.provision.site import CONTROL_HOST
from controller.settings import load_settings
from controller.text_table import table
from lab.controller_process import ControllerFailedError, ControllerProcess, LogLine
from lab.docker_engine import REPOSITORY, Kind, can_compose, chosen_kind
from lab.docker_stack import containers
from lab.pbx import running_pair

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import AsyncIterator, Callable, Iterator


class NotNowError(Exception):
    """It cannot be started as things are; the message says why and what to do."""


def main(arguments: Namespace) -> int:
    """Run until Ctrl-C or SIGTERM; return 0. `arguments.bind` is the address that Asterisk listens on.

    Raises NotNowError, SettingsError, and what stacks raise: RootFolderError, DockerFailedError, ProvisionError,
    AsteriskFailed, ControllerFailedError, OSError. Each has a message for the person at the terminal.
    """
    home = Path(os.environ.get("ORIKAESHI_HOME") or REPOSITORY / "var")
    kind = chosen_kind(os.environ, can_compose=can_compose)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with alone(home):
        asyncio.run(_up(home, arguments.bind, kind))
    return 0


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Hold the lock of the site's folder. Raises NotNowError, with the process that holds it."""
    with (home / "up.lock").open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise NotNowError(
                f"Orikaeshi is up already in {home} (process {file.read().strip()}). End that one first, with Ctrl-C "
                "in its terminal; or name another folder for a second one: ORIKAESHI_HOME=/some/folder make up"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


async def _up(home: Path, bind: str, kind: Kind) -> None:
    started = await asyncio.to_thread(first_start, home, bind=bind, simulated_network=True)
    check(started)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with (home / "controller.log").open("a", encoding="utf-8") as log:
        run = _in_docker if kind == "docker" else _in_root_folder
        async with run(started, _writer(log.write)) as controller:
            print(f"\n{accounts_text(started.site)}\n\n{places_text(started, kind)}\n\nCtrl-C ends it.\n", flush=True)
            await _until(stop, controller, restarts=kind == "docker")
            print("\nending; promises are kept for the next time", flush=True)


def check(started: FirstStart) -> None:
    """Check that the settings fit the site and that its ports are free.

    Raises SettingsError for mistakes in the settings, NotNowError for the others.
    """
    site = started.site
    settings = load_settings(started.settings, {}, needs_secrets=False)
    if settings.log.path:
        raise NotNowError(f'{started.settings}: in [log] write path = "", then the log is shown here and kept as well')
    asterisk = settings.asterisks[0]
    wanted = (f"http://{CONTROL_HOST}:{site.ports.ari}", CONTROL_HOST, site.ports.ami)
    if (asterisk.url, asterisk.ami_host, asterisk.ami_port) != wanted:
        raise NotNowError(
            f"{started.settings} leads to another PBX than the one in {site.home}. In [asterisk] write "
            f'url = "{wanted[0]}", ami_host = "{wanted[1]}", ami_port = {wanted[2]}'
        )
    ports = (site.ports.sip, site.ports.ari, site.ports.ami, site.ports.carrier_sip)
    if taken := [str(port) for port in ports if not _is_free(site.bind, port)]:
        raise NotNowError(
            f"something else listens on {site.bind}, port {', '.join(taken)} (see: ss -lntup). If it is this site, "
            f"started by compose, end that first. Else delete {site.home / 'site.json'}: then free ports are chosen "
            f"anew, and {started.settings} must be told (or deleted, if you never changed it)."
        )


def _is_free(bind: str, port: int) -> bool:
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            # A connection that was closed a moment ago does not keep Asterisk from listening.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(kind is socket.SOCK_STREAM))
            try:
                probe.bind((bind, port))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    return False
                raise
    return True


@asynccontextmanager
async def _in_docker(started: FirstStart, on_line: Callable[[LogLine], None]) -> AsyncIterator[ControllerProcess]:
    async with containers(started.site, started.settings, on_line=on_line) as (_, controller):
        yield controller


@asynccontextmanager
async def _in_root_folder(started: FirstStart, on_line: Callable[[LogLine], None]) -> AsyncIterator[ControllerProcess]:
    site = started.site
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running_pair(site.home, language=site.language, bind=site.bind))
        controller = ControllerProcess(site, started.settings, on_line=on_line)
        stack.push_async_callback(controller.stop)
        await controller.start()
        yield controller


async def _until(stop: asyncio.Event, controller: ControllerProcess, *, restarts: bool) -> None:
    """Return when `stop` is set. Raises ControllerFailedError when the controller ends and nobody restarts it."""
    stopping = asyncio.create_task(stop.wait())
    try:
        while not stop.is_set():
            # No line has an empty event: this ends only when the controller does, and then with its last words.
            ending = asyncio.create_task(controller.logged("", timeout_s=math.inf))
            await asyncio.wait((stopping, ending), return_when=asyncio.FIRST_COMPLETED)
            if stop.is_set():
                ending.cancel()
                await asyncio.gather(ending, return_exceptions=True)
            elif restarts and isinstance(ending.exception(), ControllerFailedError):
                print("the controller ended; Docker starts it again", flush=True)
                await controller.start()
            else:
                await ending
    finally:
        stopping.cancel()


def places_text(started: FirstStart, kind: Kind) -> str:
    """Return where everything is: settings, database, messages, logs and the ports that programs use."""
    site = started.site
    rows = [
        ["runs in", "Docker (docker/compose.yaml)" if kind == "docker" else "the root folder, without Docker"],
        ["settings", str(started.settings)],
        ["secrets", str(site.home / "secrets.env")],
        ["database", str(site.home / "orikaeshi.db")],
        ["SMS that would be sent", str(site.home / "sms-outbox.jsonl")],
        ["log of the controller", str(site.home / "controller.log")],
        ["ARI", f"{site.ari_url}, user {site.ari_user}"],
        ["AMI", f"{CONTROL_HOST}:{site.ports.ami}, user {site.ami_user}"],
    ]
    return table(["what", "where"], rows)


def _writer(write: Callable[[str], object]) -> Callable[[LogLine], None]:
    """Return what keeps each line of the controller's log by `write`, and shows it to a person, shortened."""

    def take(line: LogLine) -> None:
        write(json.dumps(line, ensure_ascii=False) + "\n")
        print(shown(line), flush=True)

    return take


def shown(line: LogLine) -> str:
    """Return a log line for a person: time of day (UTC), event, and what it is about."""
    about = " ".join(f"{key}={value}" for key, value in line.items() if key not in {"at", "event", "level"})
    level = str(line.get("level", "info"))
    loud = "" if level in {"info", "debug"} else f"{level.upper()} "
    return f"{str(line.get('at', ''))[11:19]:8} {loud}{line.get('event', '')} {about}".rstrip()

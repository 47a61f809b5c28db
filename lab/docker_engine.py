"""The Docker engine of this machine, asked by its command line; and which kind of stack to run."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

REPOSITORY: Final = Path(__file__).resolve().parent.parent
COMPOSE_FILE: Final = REPOSITORY / "docker" / "compose.yaml"

Kind = Literal["docker", "root"]
_ANSWER_S: Final = 15.0
_LAST_LINES: Final = 20


class DockerFailedError(Exception):
    """Docker or compose could not do what was asked; the message carries its last words."""


def chosen_kind(environment: Mapping[str, str], *, can_compose: Callable[[], bool]) -> Kind:
    """Return which stack to run: what ORIKAESHI_STACK says, else `docker` when `can_compose`, else `root`.

    Raises DockerFailedError for another word in ORIKAESHI_STACK, or for `docker` where none answers.
    """
    wish = environment.get("ORIKAESHI_STACK", "")
    if wish == "root":
        return "root"
    if wish == "docker" and not can_compose():
        raise DockerFailedError(
            "ORIKAESHI_STACK=docker, but no Docker engine with compose answers here. Start it (see: docker info), "
            "install compose, or unset ORIKAESHI_STACK to run without Docker."
        )
    if wish not in {"", "docker"}:
        raise DockerFailedError(f"ORIKAESHI_STACK={wish}: only docker or root can stand there")
    return "docker" if wish or can_compose() else "root"


def can_compose() -> bool:
    """Whether a Docker engine answers and compose, of either generation, is installed."""
    return _succeeds("docker", "info") and bool(compose_command())


def compose_command() -> list[str]:
    """Return the words that call compose: the plugin of v2, else docker-compose of v1, else none."""
    if _succeeds("docker", "compose", "version"):
        return ["docker", "compose"]
    return ["docker-compose"] if _succeeds("docker-compose", "version") else []


def _succeeds(*command: str) -> bool:
    if not shutil.which(command[0]):
        return False
    try:
        done = subprocess.run(command, capture_output=True, timeout=_ANSWER_S, check=False)  # noqa: S603 - fixed words
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


@dataclass(frozen=True, slots=True)
class Compose:
    """The services of docker/compose.yaml under one project name; `settings` are the variables that it reads."""

    command: Sequence[str]
    project: str
    settings: Mapping[str, str]

    async def __call__(self, *words: str) -> str:
        """Run one compose command to its end and return what it printed on stdout.

        Raises DockerFailedError, with the end of its stderr.
        """
        whole = [*self.command, "--project-name", self.project, "--file", str(COMPOSE_FILE), *words]
        return await said(*whole, environment=self.settings)

    async def container(self, service: str) -> str:
        """Return the id of the container that runs `service`. Raises DockerFailedError when there is none."""
        found = (await self("ps", "--quiet", service)).split()
        if not found:
            raise DockerFailedError(f"compose started no container for {service!r}")
        return found[0]


async def said(*command: str, environment: Mapping[str, str] | None = None) -> str:
    """Run a command to its end and return its stdout. Raises DockerFailedError, with the end of its stderr."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **(environment or {})},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        # Ctrl-C in the terminal is for the launcher, which then takes its containers down in order.
        start_new_session=True,
    )
    out, err = await process.communicate()
    if process.returncode:
        lines = (out + b"\n" + err).decode(errors="replace").strip().splitlines()
        last = "\n".join(line for line in lines[-_LAST_LINES:] if line.strip())
        raise DockerFailedError(f"`{' '.join(command)}` failed (exit {process.returncode}):\n{last}")
    return out.decode(errors="replace")

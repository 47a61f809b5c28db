"""The whole stack in Docker, from docker/compose.yaml, with what `lab.stack.running_stack` gives to the demo."""

from __future__ import annotations

import asyncio
import os
import sys
import zlib
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.controller_process import ControllerProcess, LogLine
from lab.docker_engine import Compose, DockerFailedError, compose_command, said
from lab.prompts import SOUNDS, PromptFiles

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from controller.provision import Site

IMAGE_SOUNDS = "/usr/share/orikaeshi/sounds"


class ControllerContainer(ControllerProcess):
    """The controller in its container: the same log, the same ways to end it."""

    def __init__(
        self, container: str, site: Site, settings: Path, *, on_line: Callable[[LogLine], None] = lambda _line: None
    ) -> None:
        """Nothing happens yet. `container` is its id."""
        super().__init__(site, settings, on_line=on_line)
        self._container = container

    async def start(self, *, until: str = "in control", timeout_s: float = 20) -> None:
        """Start it unless it runs, and return once it logged the event `until`. Raises ControllerFailedError."""
        seen = len(self.lines)
        await said("docker", "start", self._container)
        started_at = await said("docker", "inspect", "--format", "{{.State.StartedAt}}", self._container)
        # The log comes as it was written, on stderr; a container that is gone ends this process too.
        self._process = await asyncio.create_subprocess_exec(
            *("docker", "logs", "--follow", "--since", started_at.strip(), self._container),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        self._reader = asyncio.create_task(self._read(self._process))
        await self.logged(until, since=seen, timeout_s=timeout_s)

    async def kill9(self) -> None:
        """Kill it, as a power cut would; Docker does not start a container again that was killed by hand."""
        await said("docker", "kill", self._container)
        await self._drained()

    async def stop(self) -> int | None:
        """End it as `docker stop` does; return its exit code."""
        await said("docker", "stop", self._container)
        await self._drained()
        return int(await said("docker", "inspect", "--format", "{{.State.ExitCode}}", self._container))

    async def _drained(self) -> None:
        """Wait until the log was read to its end."""
        if self._process is not None:
            await self._process.wait()
        if self._reader is not None:
            await self._reader


@dataclass(frozen=True, slots=True)
class DockerStack:
    """Everything that runs, as far as the demo asks for it."""

    site: Site
    controller: ControllerContainer
    settings: Path
    prompts: PromptFiles


@asynccontextmanager
async def containers(
    site: Site, settings: Path, *, on_line: Callable[[LogLine], None] = lambda _line: None, keep_state: bool = True
) -> AsyncIterator[tuple[Compose, ControllerContainer]]:
    """Build the images where they are out of date, and run the services of compose until the context is left.

    With ORIKAESHI_BUILD=no in the environment the images are taken as they are. Each site's folder is a compose
    project of its own. `site` and `settings` must have been written already; the service `setup` finds them and
    keeps them. `keep_state` is whether phones stay registered for the next time.

    Raises DockerFailedError, ControllerFailedError.
    """
    home = str(site.home.resolve())
    compose = Compose(compose_command(), f"orikaeshi-{zlib.crc32(home.encode()):08x}", _variables(site))
    if not compose.command:
        raise DockerFailedError("compose is not installed: neither `docker compose` nor `docker-compose` answers")
    if os.environ.get("ORIKAESHI_BUILD") != "no":
        sys.stderr.write("docker: building the images where they are out of date (minutes, the first time)\n")
        await compose("build", "--quiet")
    try:
        await compose("up", "--detach")
        controller = ControllerContainer(await compose.container("controller"), site, settings, on_line=on_line)
        await controller.start()
        yield compose, controller
    finally:
        await compose("down", "--timeout", "10", *(() if keep_state else ("--volumes",)))


@asynccontextmanager
async def docker_stack(
    site: Site, settings: Path, *, on_line: Callable[[LogLine], None] = lambda _line: None
) -> AsyncIterator[DockerStack]:
    """Run PBX, telephone network and controller in Docker, with the prompts at hand, until the context is left.

    Raises what `containers` raises.
    """
    async with containers(site, settings, on_line=on_line, keep_state=False) as (compose, controller):
        prompts = await prompts_of(await compose.container("asterisk"), site.home / "image")
        yield DockerStack(site, controller, settings, prompts)


async def prompts_of(container: str, folder: Path) -> PromptFiles:
    """Copy the prompts of a container's image into `folder`. Raises DockerFailedError."""
    sounds = folder / SOUNDS
    await asyncio.to_thread(sounds.mkdir, parents=True, exist_ok=True)
    await said("docker", "cp", f"{container}:{IMAGE_SOUNDS}/.", str(sounds))
    return PromptFiles(folder)


def _variables(site: Site) -> dict[str, str]:
    # Root's own files stay closed to the controller, which is nobody in particular: then the image's user has them.
    owner = {"ORIKAESHI_UID": str(os.getuid()), "ORIKAESHI_GID": str(os.getgid())} if os.getuid() else {}
    return {
        "ORIKAESHI_HOME": str(site.home.resolve()),
        "ORIKAESHI_BIND": site.bind,
        "ORIKAESHI_LANGUAGE": site.language,
        **owner,
    }

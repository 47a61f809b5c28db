"""The whole stack on this machine: a PBX, a telephone network, the controller. For the demo, tests and benchmarks."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from controller.provision import provision
from controller.provision.site import CONTROL_HOST
from controller.settings.first_file import DEFAULT_TEMPLATE, first_settings, with_value
from lab.controller_process import ControllerProcess, LogLine
from lab.docker_engine import can_compose, chosen_kind
from lab.docker_stack import docker_stack
from lab.pbx import Asterisk, running_pair
from lab.prompts import PromptFiles
from lab.rootfolder import root_folder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    from controller.provision import Site

LAB_SETTINGS: dict[tuple[str, str], str] = {
    # A lab has no neighbours to wake: what is dialled there is one of its own phones.
    ("dialer", "calling_hours"): '"00:00-24:00"',
}
"""What differs in the lab from the default settings: (table, key) to a TOML value."""


class AnyStack(Protocol):
    """What runs, in Docker or in the root folder: all that the demo needs."""

    @property
    def site(self) -> Site:
        """Ports, addresses and accounts."""

    @property
    def controller(self) -> ControllerProcess:
        """The controller, with its log."""

    @property
    def settings(self) -> Path:
        """Its settings file."""

    @property
    def prompts(self) -> PromptFiles:
        """What callers hear."""


@dataclass(frozen=True, slots=True)
class Stack:
    """Everything that runs."""

    site: Site
    pbx: Asterisk
    carrier: Asterisk
    controller: ControllerProcess
    settings: Path
    prompts: PromptFiles


def write_settings(
    site: Site, changes: Mapping[tuple[str, str], str], *, edit: Callable[[str], str] = lambda text: text
) -> Path:
    """Write the default settings, fitted to `site`, with `changes` ((table, key) to a TOML value); return the file.

    `edit` has the last word on the text: to add queues, menus, entrances.
    """
    text = first_settings(
        DEFAULT_TEMPLATE.read_text("utf-8"),
        ari_url=f"http://{CONTROL_HOST}:{site.ports.ari}",
        ami_host=CONTROL_HOST,
        ami_port=site.ports.ami,
        service_number=site.service_number,
        agents=[agent.user for agent in site.agents],
    )
    for (table, key), value in {**LAB_SETTINGS, **changes}.items():
        text = with_value(text, table, key, value)
    path = site.home / "controller.toml"
    path.write_text(edit(text), "utf-8")
    return path


@asynccontextmanager
async def running_stack(
    home: Path,
    *,
    changes: Mapping[tuple[str, str], str] | None = None,
    edit: Callable[[str], str] = lambda text: text,
    on_line: Callable[[LogLine], None] = lambda _line: None,
    language: str = "en",
    agents: int = 2,
    furnish: Callable[[Site], object] = lambda _site: None,
) -> AsyncIterator[Stack]:
    """Run PBX, telephone network and controller until the context is left.

    `changes`, `edit`: see `write_settings`; `agents`, `furnish`: see `running_pair`.
    """
    async with running_pair(home, language=language, agents=agents, furnish=furnish) as (site, pbx, carrier):
        settings = write_settings(site, {("[queues]", "language"): f'"{language}"', **(changes or {})}, edit=edit)
        controller = ControllerProcess(site, settings, on_line=on_line)
        await controller.start()
        try:
            yield Stack(site, pbx, carrier, controller, settings, PromptFiles(root_folder()))
        finally:
            await controller.stop()


@asynccontextmanager
async def any_stack(
    home: Path,
    *,
    changes: Mapping[tuple[str, str], str] | None = None,
    edit: Callable[[str], str] = lambda text: text,
    on_line: Callable[[LogLine], None] = lambda _line: None,
    language: str = "en",
) -> AsyncIterator[AnyStack]:
    """Run the same in Docker when an engine with compose answers, else in the root folder.

    The environment variable ORIKAESHI_STACK, `docker` or `root`, decides it instead. `home` must be a folder of this
    run alone.

    Raises DockerFailedError, or what `running_stack` raises.
    """
    if await asyncio.to_thread(chosen_kind, os.environ, can_compose=can_compose) == "root":
        async with running_stack(home, changes=changes, edit=edit, on_line=on_line, language=language) as stack:
            yield stack
        return
    site = provision(home, language=language, port_offset=os.getpid() % 700)
    settings = write_settings(site, {("[queues]", "language"): f'"{language}"', **(changes or {})}, edit=edit)
    async with docker_stack(site, settings, on_line=on_line) as docker:
        yield docker

"""A whole stack with its console: who is let in there, how they sign in, and what they do on its pages."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from lab.phone import PhoneShelf
from lab.stack import running_stack
from tests.asterisk.conftest import QUICK
from tests.asterisk.floor import Floor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    from tests.browser.staff import Staff

PASSWORD = "seven cups of barley tea"
HOST = "127.0.0.1"
_IS_HERE = "return location.pathname === arguments[0] && document.readyState === 'complete'"
_IS_LIVE = "return location.pathname === arguments[0] && document.body.dataset.connection === 'live'"


@asynccontextmanager
async def running_console(
    home: Path,
    port: int,
    *,
    changes: Mapping[tuple[str, str], str] | None = None,
    edit: Callable[[str], str] = lambda text: text,
    agents: int = 2,
) -> AsyncIterator[Floor]:
    """Run everything with short waits and the console on `port`; `changes`, `edit`, `agents` as of `running_stack`."""
    console = {("console", "enabled"): "true", ("console", "port"): str(port)}
    async with (
        running_stack(home, changes={**QUICK, **console, **(changes or {})}, edit=edit, agents=agents) as stack,
        PhoneShelf() as shelf,
    ):
        yield await Floor.furnished(stack, shelf)


async def let_in(floor: Floor, name: str, role: str, *, agent: str = "") -> None:
    """Let somebody into the console, as an admin does: by the command."""
    words = ("person", "add", name, "--role", role, "--agent", agent, "--language", "ja", "--stdin")
    await told(floor, *words, stdin=f"{PASSWORD}\n")


async def told(floor: Floor, *words: str, stdin: str = "") -> str:
    """Run a command of the controller on the site of a floor; return what it says."""
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "controller", *words, "--settings", str(floor.stack.settings)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await command.communicate(stdin.encode())
    assert command.returncode == 0
    return said.decode()


async def signs_in(staff: Staff, port: int, name: str, page: str, *, is_live: bool = True) -> Staff:
    """Sign in by the form, whoever was before, as a person does, and come to a page; a live one is waited for."""
    url, path = f"http://{HOST}:{port}{page}", page.partition("?")[0]
    await staff.tell("Network.clearBrowserCookies")
    await staff.open_any(url)
    await staff.until_seen("#password")
    await staff.write("#name", name)
    await staff.write("#password", PASSWORD)
    await staff.click("#sign-in")
    await staff.until(_IS_HERE, path)
    if path != page:
        await staff.open_any(url)  # Whoever signs in comes to the page, and not to what was asked of it.
    await staff.until(_IS_LIVE if is_live else _IS_HERE, path)
    return staff


async def opens(boss: Staff, table: str, key: str) -> None:
    """Open what can be done with a row of the supervisor's page."""
    await boss.until_seen(f'#{table} tr[data-key="{key}"]')
    await boss.click(f'#{table} tr[data-key="{key}"] .act')
    await boss.until_seen("dialog[open]")

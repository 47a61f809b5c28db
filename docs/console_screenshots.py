"""Takes the pictures of the wallboard, the figures and the recordings: docs/images/NAME.png.

    python -m docs.console_screenshots

The pages are the real ones, over the real console, in Chromium: a busy minute of an afternoon, and the day before it.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from controller.domain.access import Role
from controller.domain.recording import Consent
from docs.screenshots import small
from lab.browser import open_browser
from tests.browser.console_behind import console_behind
from tests.browser.door import Door
from tests.browser.staff import Staff
from tests.console.a_day import write_day
from tests.console.busy_floor import busy_floor
from tests.console.floor import AGENT, OTHER_AGENT
from tests.console.house import TUESDAY_TEN
from tests.console.talks_kept import Shelves, recorded, wav

if TYPE_CHECKING:
    from tests.console.house import ConsoleSite

FOLDER = Path(__file__).with_name("images")
COLOURS = 40
_DRAWN = "return document.querySelectorAll('.chart').length >= 3"
_PLAYERS = "return document.querySelectorAll('tr[data-id] audio').length >= 4"
AFTERNOON_S = 5 * 3600


@dataclass(frozen=True, slots=True)
class Picture:
    """What is photographed, on how wide a screen."""

    path: str
    width: int
    height: int
    is_whole_page: bool = False
    """Or what fits on the screen."""
    drawn: str = _DRAWN
    """Tells whether all of it is there."""


SHOWN = {
    "wallboard-ja": Picture("/wallboard?lang=ja&theme=light", 1920, 1080),
    "wallboard-en-dark": Picture("/wallboard?lang=en&theme=dark", 1920, 1080),
    "wallboard-phone-ja": Picture("/wallboard?lang=ja&theme=light", 360, 1100),
    "figures-ja": Picture("/figures?queue=support&lang=ja&theme=light", 1280, 1000, is_whole_page=True),
    "figures-en": Picture("/figures?queue=support&group=waits&lang=en&theme=light", 1280, 1000),
    "recordings-ja": Picture("/recordings?lang=ja&theme=light", 1280, 760, drawn=_PLAYERS),
    "recordings-en": Picture("/recordings?lang=en&theme=light", 1280, 760, drawn=_PLAYERS),
}
"""By name, each picture."""


async def take(folder: Path) -> None:
    """Write every picture. Raises PackageError when there is no browser."""
    with tempfile.TemporaryDirectory() as home:
        shelves = Shelves()
        async with (
            Door().standing(Path(home)) as door,
            console_behind(door, Path(home), shelf_of=shelves.of) as site,
        ):
            site.clock.turn(AFTERNOON_S - 3600)
            await _talks_recorded(site, shelves)
            site.clock.turn(3600)
            await write_day(site.store, TUESDAY_TEN - timedelta(hours=1), site.house.now)
            site.floor.changed(busy_floor(site.house.now))
            for name, picture in SHOWN.items():
                with open_browser(width=picture.width, height=picture.height, hosts=door.hosts) as chrome:
                    png = await _taken(Staff(chrome), site, picture)
                    chrome.get("about:blank")
                    folder.joinpath(f"{name}.png").write_bytes(small(png, chrome, COLOURS))


async def _talks_recorded(site: ConsoleSite, shelves: Shelves) -> None:
    """Have the talks of a quarter of an hour been recorded."""
    customers = ("+819012340001", "+81312340002", "", "+818012340004", "+815012340005")
    for nth, number in enumerate(customers):
        agent, length_s = (AGENT, OTHER_AGENT)[nth % 2], 61.0 * nth + 75
        consent = Consent.AGREED if nth == 1 else Consent.TOLD
        await recorded(site, f"talk-{nth}", length_s=length_s, agent=agent, consent=consent, number=number)
        shelves.here.sounds[f"talk-{nth}"] = wav(1)
        site.clock.turn(190)


async def _taken(staff: Staff, site: ConsoleSite, picture: Picture) -> bytes:
    await staff.sign_in(site, Role.SUPERVISOR)
    await staff.open(picture.path)
    metrics = {"width": picture.width, "height": picture.height, "deviceScaleFactor": 1, "mobile": False}
    await staff.tell("Emulation.setDeviceMetricsOverride", **metrics)
    await staff.until(picture.drawn)
    site.floor.changed()
    height = (
        await staff.ask("return document.documentElement.scrollHeight") if picture.is_whole_page else picture.height
    )
    clip = {"x": 0, "y": 0, "width": picture.width, "height": height, "scale": 1}
    taken = await staff.tell("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
    return base64.b64decode(taken["data"])


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    FOLDER.mkdir(exist_ok=True)
    asyncio.run(take(FOLDER))

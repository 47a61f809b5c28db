"""Browsers that stay open for all tests, and a site for each test behind the door that they know."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller.domain.access import Role
from lab.browser import open_browser
from tests.browser.console_behind import console_behind
from tests.browser.door import Door
from tests.browser.staff import HEIGHT, WIDTH, Staff
from tests.browser.visitor import Visitor
from tests.console.busy_floor import busy_floor
from tests.web.site import Site, site_at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.console.house import ConsoleSite


@pytest.fixture(scope="session")
async def door(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    """Open the door for the length of the run."""
    async with Door().standing(tmp_path_factory.mktemp("door")) as standing:
        yield standing


@pytest.fixture
async def site(door: Door, tmp_path: Path) -> AsyncIterator[Site]:
    """Serve a site behind the door, without limits, with the page without a link."""
    async with site_at(tmp_path) as opened, door.leading_to(opened):
        yield opened


@pytest.fixture(scope="session")
def visitor(door: Door) -> Iterator[Visitor]:
    """Open a browser in which JavaScript is switched off."""
    with open_browser(scripts=False, hosts=door.hosts) as chrome:
        yield Visitor(chrome)


@pytest.fixture(scope="session")
def examiner(door: Door) -> Iterator[Visitor]:
    """Open a browser in which JavaScript runs, for whoever looks at pages with scripts."""
    with open_browser(hosts=door.hosts) as chrome:
        yield Visitor(chrome)


@pytest.fixture(scope="module")
def chrome(door: Door) -> Iterator[Staff]:
    """Open a browser with a screen for all tests of a file."""
    with open_browser(width=WIDTH, height=HEIGHT, hosts=door.hosts) as opened:
        yield Staff(opened)


@pytest.fixture
async def busy(door: Door, tmp_path: Path) -> AsyncIterator[ConsoleSite]:
    """Serve a console behind the door, with a busy floor."""
    async with console_behind(door, tmp_path) as opened:
        opened.floor.changed(busy_floor(opened.house.now))
        yield opened


@pytest.fixture
async def wall(busy: ConsoleSite, chrome: Staff) -> AsyncIterator[Staff]:
    """Open the wallboard of the busy floor in Japanese, as an agent."""
    await chrome.sign_in(busy, Role.AGENT)
    await chrome.enter("/wallboard?lang=ja")
    await chrome.until_seen("#line > li")
    yield chrome
    await chrome.open_any("about:blank")

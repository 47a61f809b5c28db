"""The wallboard, when what it shows cannot be trusted any more; and today's figures on it."""

from __future__ import annotations

from datetime import timedelta
from math import floor
from typing import TYPE_CHECKING, Any

from controller.domain.access import Role
from controller.ports.promises import StoreUnavailableError
from tests.browser.console_behind import console_behind, leading_to
from tests.browser.test_wallboard import ROWS
from tests.console.a_day import write_day
from tests.console.floor import ScriptedFloor
from tests.console.house import TUESDAY_TEN, ConsoleSite
from tests.console.stream_reader import with_line
from tests.contract.store_under_test import HandClock

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from controller.ports.floor import FloorNow
    from tests.browser.door import Door
    from tests.browser.staff import Staff

CONNECTION = "return document.body.dataset.connection === arguments[0]"


async def test_a_lost_connection_is_said_with_the_age_of_what_is_seen_and_mends_itself(
    door: Door, busy: ConsoleSite, wall: Staff
) -> None:
    """All that is live turns grey; once the server is back it is live again, with what is true then."""
    assert not await wall.shows("#lost")
    async with leading_to(door, busy):
        pass  # Whoever leaves cuts every connection, and nothing leads anywhere any more.
    await wall.until(CONNECTION, "lost")
    await wall.until_said("#lost", "接続が切れました", "10:00:", "時点の表示です")
    assert await wall.ask("return getComputedStyle(document.querySelector('.columns')).filter") == "grayscale(1)"
    frozen = await wall.said("#longest")
    busy.clock.turn(60)
    busy.floor.changed(with_line(busy.floor.shown, "came meanwhile"))
    assert await wall.said("#longest") == frozen
    async with leading_to(door, busy):
        await wall.until(CONNECTION, "live")
        await wall.until(f"{ROWS}.join() === 'came meanwhile'")
        assert not await wall.shows("#lost")


class SilentFloor(ScriptedFloor):
    """One that fails once it is told to: then nothing more is said on a connection that stays open."""

    is_silent = False

    def now(self) -> FloorNow:
        """Raise, or tell."""
        if self.is_silent:
            raise OSError("nobody is there")
        return super().now()


async def test_a_connection_that_is_open_and_silent_counts_as_lost(door: Door, tmp_path: Path, chrome: Staff) -> None:
    """As when a cable is pulled: nobody says that it is gone."""
    silent = SilentFloor(HandClock(TUESDAY_TEN))
    async with console_behind(door, tmp_path, floor=silent) as site:
        await chrome.sign_in(site, Role.AGENT)
        await chrome.enter("/wallboard")
        silent.is_silent = True
        await chrome.until(CONNECTION, "lost")
        silent.is_silent = False
        await chrome.until(CONNECTION, "live")


async def test_todays_figures_and_charts_are_there_and_follow_the_queue(
    door: Door, tmp_path: Path, chrome: Staff
) -> None:
    """Those of the API, in tiles; three charts of the day; of a queue without calls there is nothing to draw."""
    async with console_behind(door, tmp_path) as site:
        site.clock.turn(5 * 3600)
        await write_day(site.store, TUESDAY_TEN - timedelta(hours=1), site.house.now)
        supervisor = await site.client(Role.SUPERVISOR)
        (row,) = (await supervisor.get("/api/v1/figures?interval=whole")).json["rows"]
        told: dict[str, Any] = row["figures"]
        await chrome.sign_in(site, Role.AGENT)
        await chrome.enter("/wallboard?lang=en")
        await chrome.until_said("#figures-of", "as of 15:00")
        for key in ("answer_percent", "abandon_percent", "service_level_percent", "kept_percent"):
            assert await chrome.said(f"#{key}") == f"{told[key]:.1f}%".replace("100.0", "100"), key
        assert await chrome.said("#answer_percent-about") == f"of {told['offered']} calls"
        assert (await chrome.said("#mean_hold_s"), await chrome.said("#mean_true_s")) == (
            shown(told["mean_hold_s"]),
            shown(told["mean_true_s"]),
        )
        assert told["mean_true_s"] > told["mean_hold_s"]
        await chrome.until("return document.querySelectorAll('#charts figure').length === 3")
        assert await chrome.sees("#charts rect[class='c-answered']") > 5
        assert await chrome.sees("#charts path.c-hold") == 2  # and the one of the legend
        await chrome.choose("#queue", "sales")
        await chrome.until_said("#charts", "Nothing to show yet.")
        await chrome.until_said("#answer_percent", "—")


def shown(seconds: float) -> str:
    """Return a length of time as a tile shows it."""
    return f"{floor(seconds + 0.5)} s" if seconds < 90 else f"{floor(seconds / 60 + 0.5)} min"


class AwayFacts:
    """`FactsBook` whose database does not answer."""

    def so_far(self, *_: Any) -> AwayFacts:
        """Return who reads a day."""
        return self

    async def read(self, _as_of: datetime) -> Any:
        """Raise."""
        raise StoreUnavailableError("the database is away")

    async def facts(self, *_: Any, **__: Any) -> Any:
        """Raise."""
        raise StoreUnavailableError("the database is away")


async def test_the_floor_is_live_while_the_database_is_away(door: Door, tmp_path: Path, chrome: Staff) -> None:
    """The figures are unknown, not nought."""
    async with console_behind(door, tmp_path, facts=AwayFacts()) as site:
        await chrome.sign_in(site, Role.AGENT)
        await chrome.enter("/wallboard")
        site.floor.changed(with_line(site.floor.shown, "rang"))
        await chrome.until(f"{ROWS}.join() === 'rang'")
        assert await chrome.said("#answer_percent") == "—"
        assert await chrome.shows("#charts-fail")

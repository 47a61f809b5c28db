"""The page for Prometheus of a real controller, with real calls behind it: the dashboard finds what it asks for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from lab.phone import PhoneShelf
from lab.stack import running_stack
from tests.asterisk.conftest import QUICK
from tests.asterisk.floor import Floor
from tests.asterisk.sms_site import free_port
from tests.console.monitoring import alerts, metrics_in, queries

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PORT = free_port()
MEASURED = {
    ("health", "enabled"): "true",
    ("health", "port"): str(PORT),
    ("health", "metrics"): "true",
}


@pytest.fixture(scope="module")
async def running_floor(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Floor]:
    """Start everything, with a page for Prometheus."""
    async with (
        running_stack(tmp_path_factory.mktemp("site"), changes=QUICK | MEASURED) as stack,
        PhoneShelf() as shelf,
    ):
        yield await Floor.furnished(stack, shelf)


async def scraped() -> tuple[dict[tuple[str, frozenset[tuple[str, str]]], float], str]:
    """Return the samples of a scrape, and the page."""
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{PORT}/metrics") as answer:
        assert answer.status == 200
        page = await answer.text()
    families = text_string_to_metric_families(page)
    return {(each.name, frozenset(each.labels.items())): each.value for one in families for each in one.samples}, page


async def sample(name: str, **labels: str) -> float | None:
    """Return one sample of a scrape; None: it is not there."""
    return (await scraped())[0].get((name, frozenset(labels.items())))


async def until(value: float, name: str, **labels: str) -> None:
    """Scrape until a sample has this value."""
    async with asyncio.timeout(30):
        while await sample(name, **labels) != value:
            pass


async def test_a_call_and_a_promise_are_counted_timed_and_in_todays_figures(floor: Floor) -> None:
    """One caller is served, another leaves a number: each stands where the dashboard looks for it."""
    waiting = await floor.calling(floor.customer())
    await until(1, "orikaeshi_line_waiting", queue="support", kind="live")
    await waiting.hang_up()
    await waiting.ended
    await until(1, "orikaeshi_calls_total", queue="support", ending="abandoned")
    served = await floor.calling(floor.customer())
    await until(1, "orikaeshi_line_waiting", queue="support", kind="live")
    agent = await floor.signed_in()
    leg = await agent.rings()
    await until(1, "orikaeshi_agents", state="on_call")
    await until(1, "orikaeshi_hand_over_seconds_count")
    await served.hang_up()
    await leg.ended
    await agent.unregister()
    promised = await floor.calling(floor.customer())
    await promised.press("11")
    await promised.ended
    await until(1, "orikaeshi_calls_total", queue="support", ending="promised")
    await until(3, "orikaeshi_today_offered", queue="*")
    samples, page = await scraped()

    def value(name: str, **labels: str) -> float | None:
        return samples.get((name, frozenset(labels.items())))

    assert value("orikaeshi_calls_arrived_total") == 3
    assert value("orikaeshi_calls_total", queue="support", ending="served") == 1
    assert value("orikaeshi_calls_total", queue="support", ending="abandoned") == 1
    assert value("orikaeshi_promises_total", queue="support", step="made") == 1
    assert value("orikaeshi_hold_wait_seconds_count", queue="support", end="answered") == 1
    assert value("orikaeshi_true_wait_seconds_count", queue="support", way="held") == 1
    assert value("orikaeshi_agent_ring_seconds_count", result="answered") == 1
    assert value("orikaeshi_hand_over_seconds_count") == 1
    assert value("orikaeshi_today_answered", queue="support") == 1
    assert value("orikaeshi_today_abandoned", queue="*") == 1
    assert value("orikaeshi_pbx_state", pbx="asterisk", state="in_control") == 1
    requests = value("orikaeshi_ari_request_seconds_count", pbx="asterisk")
    assert requests is not None
    assert requests > 10
    assert "0901234" not in page
    assert "9012340" not in page


async def test_every_metric_of_the_dashboard_and_the_alerts_is_known_to_a_real_controller(floor: Floor) -> None:
    """With its help text at least: what has not happened yet has no sample."""
    await floor.stack.controller.logged("in control", since=0)
    _, page = await scraped()
    known = {line.split(" ")[2] for line in page.splitlines() if line.startswith("# TYPE ")}
    asked = {name for each in (*queries(), *(rule["expr"] for rule in alerts())) for name in metrics_in(each)}
    parts = ("_bucket", "_sum", "_count", "_total")
    missing = {
        name
        for name in asked
        if name not in known and not any(name.endswith(part) and name.removesuffix(part) in known for part in parts)
    }
    assert missing == set()

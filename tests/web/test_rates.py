"""How often one may ask: whoever asks too often waits, and nobody else does."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.web.rates import RateLimits, Rates, client_address, subnet_of
from tests.contract.store_under_test import HandClock
from tests.web.site import site_at

if TYPE_CHECKING:
    from pathlib import Path

PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def rates(**limits: int) -> tuple[Rates, HandClock]:
    """Return rates with these limits and plenty of all else, and their clock."""
    clock = HandClock()
    return Rates(RateLimits(**{"per_address_per_minute": 1000, "per_subnet_per_minute": 1000, **limits}), clock), clock


def test_an_address_may_ask_so_often_in_any_minute() -> None:
    """The window moves: what was asked a minute ago does not count, what was asked since does."""
    asked, clock = rates(per_address_per_minute=3)
    assert [asked.visit("192.0.2.1") for _ in range(2)] == [None, None]
    clock.turn(50)
    assert [asked.visit("192.0.2.1"), asked.visit("192.0.2.1")] == [None, 10]
    assert asked.visit("192.0.2.2") is None
    clock.turn(10)
    assert [asked.visit("192.0.2.1") for _ in range(3)] == [None, None, 50]


def test_neighbours_share_their_subnet() -> None:
    """256 addresses of one network are one asker, and so are all of a customer's IPv6."""
    asked, _ = rates(per_subnet_per_minute=5)
    assert [asked.visit(f"192.0.2.{count}") for count in range(6)] == [None] * 5 + [60]
    assert asked.visit("192.0.3.1") is None
    assert [asked.visit(f"2001:db8::{count:x}:1") for count in range(6)] == [None] * 5 + [60]
    assert asked.visit("2001:db8:0:1::1") is None


def test_what_is_kept_is_bounded_and_the_newest_are_remembered() -> None:
    """A flood from everywhere costs memory for so many askers and no more."""
    clock = HandClock()
    asked = Rates(RateLimits(per_number_per_hour=1), clock, most_keys=100)
    for count in range(5000):
        assert asked.code_for(f"+8190{count:08}") is None
    assert asked.kept == 100
    assert asked.code_for("+819000004999") == 3600
    assert asked.code_for("+819000000000") is None


def test_whoever_keeps_coming_is_not_forgotten() -> None:
    """Of those who are remembered, the one that was seen the longest ago makes room."""
    asked = Rates(RateLimits(per_number_per_hour=3), HandClock(), most_keys=3)
    for number in ("the same", "1", "2", "the same", "3", "4", "the same", "5", "6"):
        assert asked.code_for(number) is None
    assert asked.code_for("the same") == 3600


def test_one_address_cannot_use_up_the_memory() -> None:
    """Nor can one subnet: beyond its own limit nothing is written down."""
    asked, _ = rates(per_subnet_per_minute=10)
    for count in range(1000):
        asked.visit(f"2001:db8::{count:x}")
    assert asked.kept == 11


@given(st.lists(st.tuples(st.floats(0, 90), st.sampled_from("ab")), max_size=60), st.integers(1, 5))
def test_no_minute_has_more_than_the_limit_and_nobody_waits_for_nothing(
    visits: list[tuple[float, str]], limit: int
) -> None:
    """Whenever somebody comes; counted a second time, here."""
    asked, clock = rates(per_link_per_minute=limit)
    let_through: dict[str, list[float]] = {"a": [], "b": []}
    for after_s, who in visits:
        clock.turn(after_s)
        now_s = clock.now().timestamp()
        recent = [at_s for at_s in let_through[who] if at_s > now_s - 60]
        wait_s = asked.link(who)
        assert (wait_s is None) is (len(recent) < limit)
        if wait_s is None:
            let_through[who].append(now_s)
        else:
            assert recent[0] + 60 - now_s <= wait_s <= 60


def test_looking_whether_somebody_forges_does_not_count() -> None:
    """Only what was forged does."""
    asked, _ = rates(forged_per_minute=2)
    assert [asked.forger("192.0.2.1") for _ in range(9)] == [None] * 9
    asked.forged("192.0.2.1")
    asked.forged("192.0.2.1")
    assert asked.forger("192.0.2.1") == 60
    assert asked.forger("192.0.2.2") is None


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.5", [], "203.0.113.5"),
        ("203.0.113.5", ["198.51.100.1"], "203.0.113.5"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.2.3.4, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["1.2.3.4", "198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["nonsense"], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1, unknown, 10.0.0.2"], "10.0.0.2"),
        ("fd00::1", ["2001:db8::7"], "2001:db8::7"),
        ("fd00::1", ["[2001:db8::7]"], "2001:db8::7"),
        ("::ffff:10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["::ffff:198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["9" * 500], "10.0.0.1"),
        ("", ["198.51.100.1"], "unknown"),
    ],
)
def test_who_asks_is_whom_our_own_proxy_names(peer: str, forwarded: list[str], client: str) -> None:
    """What a stranger writes into the header is the stranger's claim."""
    assert client_address(peer, forwarded, PROXIES) == client


@given(st.text(max_size=60), st.lists(st.text(max_size=60), max_size=3))
def test_whatever_is_in_the_header_somebody_asked(peer: str, forwarded: list[str]) -> None:
    """Nothing is raised, and no long text is kept."""
    client = client_address(peer, forwarded, PROXIES)
    assert len(client) <= 45
    assert subnet_of(client)


async def test_whoever_opens_pages_too_often_is_asked_to_wait(tmp_path: Path) -> None:
    """With a page, and the seconds; health, style sheet and providers' news are not counted."""
    async with site_at(tmp_path, limits=RateLimits(per_address_per_minute=3)) as site:
        path = await site.link()
        for _ in range(9):
            await site.get("/health")
            await site.post("/sms/nobody", {})
        assert [(await site.get(path)).status for _ in range(4)] == [200, 200, 200, 429]
        answer = await site.get("/l/forged")
        assert (answer.status, answer.headers["Retry-After"]) == (429, "60")
        assert "Please wait a moment" in answer.words
        site.clock.turn(60)
        assert (await site.get(path)).status == 200


async def test_a_client_behind_our_proxy_is_counted_by_its_own_address(tmp_path: Path) -> None:
    """And cannot have somebody else counted in its place."""
    limits = RateLimits(per_address_per_minute=2)
    async with site_at(tmp_path, limits=limits, trusted_proxies=(ip_network("127.0.0.0/8"),)) as site:
        one = {"X_Forwarded_For": "6.6.6.6, 198.51.100.1"}
        assert [(await site.get("/l/x", **one)).status for _ in range(3)] == [404, 404, 429]
        assert (await site.get("/l/x", X_Forwarded_For="198.51.101.2")).status == 404


async def test_one_link_may_be_asked_for_so_often(tmp_path: Path) -> None:
    """From wherever: it has gone round."""
    async with site_at(tmp_path, limits=RateLimits(per_link_per_minute=2)) as site:
        path, other = await site.link(), await site.link(name="sms-2")
        assert [(await site.get(path)).status for _ in range(3)] == [200, 200, 429]
        assert (await site.post(path, {"action": "now"})).status == 429
        assert (await site.get(other)).status == 200
        assert await site.open_promise() is None


async def test_codes_for_one_number_are_counted_however_it_is_written(tmp_path: Path) -> None:
    """And whether or not it is one that gets a code."""
    async with site_at(tmp_path, limits=RateLimits(per_number_per_hour=2)) as site:
        for spellings in (
            ["090-1234-5678", "+81 90 1234 5678", "09012345678", "０９０１２３４５６７８"],
            ["03-1234-5678", "0312345678", "+81312345678", "(03)1234-5678"],
            ["999999", "999-999", "9 9 9 9 9 9", "９９９９９９"],
        ):
            answers = [await site.post("/callback/support", {"number": number}) for number in spellings]
            assert [answer.status for answer in answers] == [303, 303, 429, 429]
            assert answers[-1].headers["Retry-After"] == "3600"

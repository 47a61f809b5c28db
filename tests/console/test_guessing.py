"""Guessing passwords: it ends, it costs the guesser, and it tells nobody who works here."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from ipaddress import ip_network
from typing import TYPE_CHECKING

from argon2.low_level import Type, hash_secret

from controller.console.password_desk import PasswordDesk, TooManyWaitingError
from controller.domain.access import Role
from controller.domain.passwords import is_outdated, matches
from controller.web.rates import RateLimits
from tests.console.entrance import signed_in
from tests.console.house import PASSWORD, ConsoleSite, site_at

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

MINUTE_S = 60.0


FAILURES = {
    "a wrong password": ("hanako", "another password"),
    "nobody of that name": ("ghost", PASSWORD),
    "locked": ("locked", PASSWORD),
    "disabled": ("disabled", PASSWORD),
    "without a password": ("new", PASSWORD),
    "no name at all": ("", PASSWORD),
    "a name that cannot be": ("' OR 1=1 --", PASSWORD),
    "no password": ("hanako", ""),
    "a password without end": ("hanako", "x" * 10_000),
}


async def people_of_all_kinds(site: ConsoleSite) -> None:
    """Let there be one whom the password lets in, and others whom it does not."""
    await site.person(Role.AGENT, "hanako", password=True)
    locked = await site.person(Role.AGENT, "locked", password=True)
    for _ in range(3):
        await signed_in(site, locked.name, "wrong")
    await site.person(Role.AGENT, "disabled", password=True, is_enabled=False)
    await site.person(Role.AGENT, "new")


async def test_every_failure_looks_the_same(site: ConsoleSite) -> None:
    """Status, headers and page: nobody learns who works here, or who is locked out."""
    await people_of_all_kinds(site)
    seen = set()
    for name, password in FAILURES.values():
        answer = await signed_in(site, name, password)
        headers = {key: value for key, value in answer.headers.items() if key != "Date"}
        seen.add((answer.status, repr(headers), answer.text))
    assert [status for status, _, _ in seen] == [422]
    outcomes = [outcome for _, action, _, outcome in await site.audit() if action == "sign-in"]
    assert outcomes[3:] == [
        "wrong", "unknown", "locked", "disabled", "none_set", "unknown", "unknown", "wrong", "wrong",
    ]  # fmt: skip


async def test_every_failure_costs_the_same_work(site: ConsoleSite) -> None:
    """One transaction each, counted by the database itself, and one hash of the same cost: the clock tells nobody."""
    await people_of_all_kinds(site)
    costs: list[str] = []

    def counted(password: str, kept: str) -> bool:
        costs.append(kept.split("$")[3])
        return matches(password, kept)

    desk = PasswordDesk(site.store.people, site.clock, look=counted)
    work = {}
    for kind, (name, password) in FAILURES.items():
        before = commits(site.file)
        costs.clear()
        assert (await desk.sign_in(name, password, "192.0.2.0/24")).person is None
        work[kind] = (commits(site.file) - before, tuple(costs))
    assert set(work.values()) == {(1, ("m=19456,t=2,p=1",))}, work


def commits(file: Path) -> int:
    """Return how many transactions have changed a database: the commit frames of its log."""
    wal = file.with_name(file.name + "-wal").read_bytes()
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        size = database.execute("PRAGMA page_size").fetchone()[0]
    salt = wal[16:24]
    frames = [wal[start : start + 24] for start in range(32, len(wal) - size - 23, size + 24)]
    return sum(1 for frame in frames if frame[8:16] == salt and int.from_bytes(frame[4:8], "big"))


async def test_a_typed_name_that_is_nobodys_is_written_nowhere(site: ConsoleSite) -> None:
    """Whoever mistakes the fields types a password there."""
    await signed_in(site, "my-secret-password-in-the-wrong-field", "hanako")
    assert "my-secret" not in repr(await site.everything())
    assert await site.audit() == [("", "sign-in", "", "unknown")]


async def test_three_wrong_passwords_lock_for_a_quarter_of_an_hour_and_then_for_longer(site: ConsoleSite) -> None:
    """Meanwhile the right one is not looked at; afterwards one try; whoever is in stays in."""
    person = await site.person(Role.AGENT, "hanako", password=True)
    inside = await site.browser_of(person)
    for _ in range(3):
        await signed_in(site, password="wrong")
    assert (await signed_in(site)).status == 422
    site.clock.turn(15 * MINUTE_S - 1)
    assert (await signed_in(site)).status == 422
    assert (await inside.get("/api/v1/me")).status == 200
    site.clock.turn(1)
    await signed_in(site, password="wrong")
    site.clock.turn(15 * MINUTE_S)
    assert (await signed_in(site)).status == 422
    site.clock.turn(15 * MINUTE_S)
    assert (await signed_in(site)).status == 303
    found = await site.store.people.find("hanako")
    assert found is not None
    assert found.guesses.wrong == 0


async def test_of_many_guesses_at_once_no_more_are_looked_at_than_one_after_the_other(site: ConsoleSite) -> None:
    """A dozen at the same moment, the right one among the last: three wrong ones lock before it has its turn."""
    await site.person(Role.AGENT, "hanako", password=True)
    tries = [asyncio.create_task(signed_in(site, password=f"wrong {number}")) for number in range(11)]
    answers = await asyncio.gather(*tries, signed_in(site))
    outcomes = [outcome for _, action, _, outcome in await site.audit() if action == "sign-in"]
    assert outcomes.count("wrong") <= 3
    assert outcomes.count("ok") == sum(answer.status == 303 for answer in answers)
    assert len(outcomes) == 12


async def test_an_address_tries_so_often_and_no_more(tmp_path: Path) -> None:
    """429 with when to come back, before anything is looked at; behind a proxy of ours it is the browser's address."""
    limits = RateLimits(per_address_per_minute=3, per_subnet_per_minute=6)
    async with site_at(tmp_path, limits=limits, trusted_proxies=(ip_network("127.0.0.1/32"),)) as site:
        await site.person(Role.AGENT, "hanako", password=True)

        async def tried_from(address: str) -> int:
            form = {"name": "hanako", "password": PASSWORD}
            answer = await site.stranger(**{"X-Forwarded-For": address}).submit("/sign-in", form)
            assert (answer.status == 429) == ("Retry-After" in answer.headers)
            return answer.status

        assert [await tried_from("192.0.2.1") for _ in range(4)] == [303, 303, 303, 429]
        assert [await tried_from("192.0.2.2") for _ in range(3)] == [303, 303, 429]
        assert await tried_from("198.51.100.1") == 303
        assert await tried_from("203.0.113.9, 192.0.2.1") == 429
        site.clock.turn(MINUTE_S)
        assert await tried_from("192.0.2.1") == 303
        assert len([action for _, action, _, _ in await site.audit() if action == "sign-in"]) == 7


async def test_more_than_can_be_looked_at_are_sent_away(site: ConsoleSite) -> None:
    """Each hash takes its memory for a while: they are made one at a time, and a queue has an end."""
    desk = PasswordDesk(site.store.people, site.clock, most_waiting=2)
    tries = [desk.sign_in("hanako", "x", "192.0.2.0/24") for _ in range(6)]
    came = await asyncio.gather(*tries, return_exceptions=True)
    sent_away = [one for one in came if isinstance(one, TooManyWaitingError)]
    assert 1 <= len(sent_away) <= 4
    assert len(await site.audit()) == 6 - len(sent_away)


async def test_a_password_that_is_kept_in_an_older_way_is_kept_in_todays_after_the_sign_in(site: ConsoleSite) -> None:
    """Nobody has to choose another for it."""
    older = hash_secret(PASSWORD.encode(), b"0123456789abcdef", 4, 9216, 1, 32, Type.ID).decode()
    await site.person(Role.AGENT, "hanako", password_hash=older)
    assert (await signed_in(site, password="wrong")).status == 422
    assert await kept_of(site) == older
    assert (await signed_in(site)).status == 303
    assert not is_outdated(await kept_of(site))
    assert (await signed_in(site)).status == 303


async def kept_of(site: ConsoleSite) -> str:
    """Return the hash of the password of the one person of a test."""
    (person,) = await site.store.people.listed()
    assert person.password_hash is not None
    return person.password_hash


async def test_a_damaged_hash_lets_nobody_in_and_is_told(site: ConsoleSite, capsys: pytest.CaptureFixture[str]) -> None:
    """The page says what it always says; the log says what to look for."""
    await site.person(Role.AGENT, "hanako", password_hash="$argon2id$ruined")
    assert (await signed_in(site)).status == 422
    assert "password_hash_damaged" in "".join(capsys.readouterr())

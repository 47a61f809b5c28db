"""Talks that are recorded, for the tests of whoever keeps the record."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from controller.domain.line import WaiterKind
from controller.domain.recording import Consent, Recording
from tests.contract.store_under_test import NOON, NUMBER

if TYPE_CHECKING:
    from datetime import datetime

    from controller.store import Store


def later(minutes: float) -> datetime:
    """Return an instant after noon."""
    return NOON + timedelta(minutes=minutes)


def a_talk(recording_id: str = "r-1", **more: object) -> Recording:
    """Return a recording of a caller's talk, which goes on."""
    talk = Recording(
        id=recording_id,
        waiter_id="call-1",
        kind=WaiterKind.LIVE,
        pbx="asterisk",
        queue="sales",
        agent="hanako",
        consent=Consent.TOLD,
        began_at=NOON,
        number=NUMBER,
    )
    return replace(talk, **more)  # type: ignore[arg-type]


async def begun(store: Store, recording_id: str = "r-1", **more: object) -> Recording:
    """Let a recording begin."""
    talk = a_talk(recording_id, **more)
    await store.recordings.begin(talk)
    return talk


async def over(store: Store, recording_id: str = "r-1", **more: object) -> Recording:
    """Let a recording begin and, five minutes later, end."""
    talk = await begun(store, recording_id, **more)
    assert await store.recordings.end(recording_id, talk.began_at + timedelta(minutes=5))
    return replace(talk, ended_at=talk.began_at + timedelta(minutes=5))


def heard_by(store: Store) -> list[str]:
    """Return a list that has an entry for each time that sound was to be erased."""
    heard: list[str] = []
    store.recordings_unwanted.append(lambda: heard.append("unwanted"))
    return heard

"""What a process has once, however many offices: its doors, and the mail room while the lease of the mail is ours."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from controller.doors import doors
from controller.journeys.race import first_of
from controller.mail_room import MailRoom, text_of
from controller.workers.news import News

if TYPE_CHECKING:
    from collections.abc import Iterable

    from controller.assembly import Office
    from controller.settings import Settings
    from controller.store import Store
    from controller.system_clock import SystemClock
    from controller.workers.lease_keeper import LeaseKeeper

log = structlog.get_logger(__name__)

LOOK_AGAIN_S = 0.2
OTHERS_READ_IN_S = 3.0
"""So long whoever has the mail is given to act on replies that were there before we took an Asterisk over."""


class GroundFloor:
    """Doors and mail, in the house of the office that has been open longest. Closed while there is none."""

    def __init__(self, settings: Settings, store: Store, clock: SystemClock, mail: LeaseKeeper, *, holder: str) -> None:
        """`mail` has to run, under the name of `holder`. Raises UnknownTextError for an SMS that is not whole."""
        self._settings = settings
        self._store = store
        self._clock = clock
        self._mail = mail
        self._holder = holder
        self._texts = text_of(settings)
        self._offices: list[Office] = []
        self._came = News()
        self._room: MailRoom | None = None

    def open_for(self, office: Office) -> None:
        """Take note of an office that has begun to work."""
        self._offices.append(office)
        self._came.tell()

    def close_for(self, office: Office) -> None:
        """Take note of one that has left."""
        self._offices.remove(office)

    @property
    def offices(self) -> Iterable[Office]:
        """The offices that are open, the oldest first."""
        return tuple(self._offices)

    def sms_queued(self) -> None:
        """Take note that another process owes an SMS."""
        if self._room is not None:
            self._room.sender.wake()

    def hooks_queued(self) -> None:
        """Take note that another process owes a webhook something."""
        if self._room is not None:
            self._room.hooks.wake()

    def replied(self) -> None:
        """Take note that another process wrote a reply down."""
        if self._room is not None:
            self._room.replies.wake()

    async def run(self) -> None:
        """Keep doors and mail room open while there is an office, until cancelled."""
        while True:
            office = next((each for each in self._offices if not each.left.is_set()), None)
            if office is None:
                await self._came.come()
                continue
            async with asyncio.TaskGroup() as tasks:
                rooms = doors(self._settings, self._store, office.house, self._clock) | {"mail": self._mail_for(office)}
                running = [tasks.create_task(room, name=name) for name, room in rooms.items()]
                await office.left.wait()
                for task in running:
                    task.cancel()

    async def replies_read(self) -> None:
        """Return once the replies that came before are acted on: one may say STOP. Raises StoreUnavailableError.

        Where another member has the mail, it is they who act, and if they are slow, we do not wait for ever.
        """
        waited_s = 0.0
        while True:
            room = self._room
            if room is not None:
                came, _ = await first_of(read=room.replies.caught_up.wait(), time=self._clock.sleep(LOOK_AGAIN_S))
                if came == "read":
                    return
                continue
            if self._is_anothers():
                if not await self._store.inbox.unhandled():
                    return
                waited_s += LOOK_AGAIN_S
                if waited_s > OTHERS_READ_IN_S:
                    log.warning("replies lie unread where the mail is")
                    return
            await self._clock.sleep(LOOK_AGAIN_S)

    def _is_anothers(self) -> bool:
        seen = self._mail.seen
        return seen is not None and seen.holder != self._holder and self._clock.now() < seen.expires_at

    async def _mail_for(self, office: Office) -> None:
        try:
            while True:
                await self._mail.held()
                await self._work(office)
        finally:
            await self._mail.release()

    async def _work(self, office: Office) -> None:
        room = MailRoom(self._settings, self._store, office.house, office.line, self._clock, self._texts)
        self._room = room
        try:
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(worker, name=name) for name, worker in room.workers.items()]
                await self._mail.lost()
                for task in running:
                    task.cancel()
        finally:
            self._room = None
            room.close()

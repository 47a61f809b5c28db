"""The channels that are followed: each has a mailbox, and a task that reads it in order until the channel is gone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from controller.asterisk.mailbox import Mailbox
from controller.asterisk.switchboard import Switchboard

if TYPE_CHECKING:
    from collections.abc import Callable

    from controller.asterisk.ari.events import Event
    from controller.asterisk.call import AriCall


class Following:
    """Every call that is followed, by its channel's id. `on_forgotten` is told the id of each that no longer is."""

    def __init__(self, on_stray: Callable[[Event], None], on_forgotten: Callable[[str], None]) -> None:
        self._switchboard = Switchboard(on_stray)
        self._on_forgotten = on_forgotten
        self._calls: dict[str, AriCall] = {}
        self._readers: dict[str, asyncio.Task[None]] = {}

    def __contains__(self, call_id: object) -> bool:
        return call_id in self._calls

    @property
    def calls(self) -> list[AriCall]:
        """All of them, in the order in which they came."""
        return list(self._calls.values())

    def deliver(self, event: Event) -> None:
        """Put an event into the mailboxes that it concerns. Quick; never waits."""
        self._switchboard.deliver(event)

    def follow(self, call: AriCall) -> None:
        """Follow a call until its channel is gone."""
        mailbox = Mailbox()
        self._switchboard.register(call.id, mailbox)
        self._calls[call.id] = call

        async def read() -> None:
            try:
                while call.state.gone is None:
                    call.state.apply(await mailbox.next())
            finally:
                self.forget(call.id)

        self._readers[call.id] = asyncio.get_running_loop().create_task(read(), name=f"events of {call.id}")

    async def leave(self) -> None:
        """Follow nobody any more; their calls go on. Repeatable."""
        readers = list(self._readers.values())
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)

    def vanished(self, call: AriCall) -> None:
        """End a call that is no longer on the PBX, though nobody saw it go."""
        call.state.vanished()
        self.forget(call.id)

    def forget(self, call_id: str) -> None:
        """Follow it no longer. Repeatable."""
        self._on_forgotten(call_id)
        self._switchboard.unregister(call_id)
        self._calls.pop(call_id, None)
        reader = self._readers.pop(call_id, None)
        if reader is not None and reader is not asyncio.current_task():
            reader.cancel()

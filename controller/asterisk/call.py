"""The verbs of a call, on ARI."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from controller.asterisk import names
from controller.asterisk.ari.errors import AriDisconnected, AriError, AriNotFound, AriRefused, AriTimeout
from controller.asterisk.hold_rooms import make_bridge
from controller.domain.digits import Entry
from controller.domain.recording import Consent
from controller.ports.calls import CallerHungUp, CallFacts, PbxUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from controller.asterisk.ari.client import AriClient
    from controller.asterisk.ari.objects import Bridge
    from controller.asterisk.call_state import CallState
    from controller.asterisk.hold_rooms import HoldRooms
    from controller.domain.digits import Keypad
    from controller.ports.calls import Call

log = structlog.get_logger(__name__)
T = TypeVar("T")

MARKS = {
    "stage": names.STAGE,
    "queue": names.QUEUE,
    "language": names.LANGUAGE,
    "urgent": names.URGENT,
    "agent": names.AGENT,
    "call": names.CALL,
    "consent": names.CONSENT,
}
"""What `remember` can keep on a channel, and in which variable."""

HANGUP_GRACE_S = 2.0
"""How long ARI may refuse a channel that is going before its ChannelDestroyed comes."""


def consent_in(word: str) -> Consent | None:
    """Return what a channel's mark says of consent; a word that nobody knows says nothing."""
    return Consent(word) if word in set(Consent) else None


async def _first_done(*contenders: Coroutine[Any, Any, None]) -> None:
    """Return when the first is done, or raise what it raised; the others are cancelled and waited for."""
    tasks = [asyncio.ensure_future(contender) for contender in contenders]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


class AriCall:
    """One channel in our Stasis application."""

    def __init__(
        self,
        client: AriClient,
        channel_id: str,
        state: CallState,
        *,
        rooms: HoldRooms,
        facts: CallFacts,
        language: str,
    ) -> None:
        self._client = client
        self._rooms = rooms
        self._channel = client.channels.named(channel_id)
        self._state = state
        self._queue_of_requests = asyncio.Lock()
        self._plays = 0
        self._behind: asyncio.Future[None] | None = None
        self.unwanted = False
        """Was to be hung up: said again after a connection that was lost just then."""
        self.found_in: str | None = None
        """The talk bridge in which the channel was found after a restart, until it is moved."""
        self.has_joined = False
        """It was joined with another, to talk."""
        self.id = channel_id
        self.facts = facts
        self.language = language
        self.consent: Consent | None = None

    @property
    def state(self) -> CallState:
        """What is known of the channel."""
        return self._state

    @property
    def expected_on_pbx(self) -> bool:
        """Whether the PBX should know this channel: not so for a leg that is only prepared."""
        return True

    async def answer(self) -> None:
        """Answer, unless the channel is up already."""
        if self._state.is_gone:
            raise CallerHungUp(self.id)
        if not self._state.up:
            await self._do(self._channel.answer)
            self._state.up = True

    async def play(self, *prompts: str) -> None:
        """Play prompts to their end. Cancelled, the sound stops."""
        self._plays += 1
        playback_id = names.playback(self.id, self._plays)
        media = [f"sound:{names.SOUND_FOLDER}/{prompt}" for prompt in prompts]
        self._state.playing.add(playback_id)
        try:
            await self._do(lambda: self._channel.play(media, playback_id=playback_id, lang=self.language))
            await self._until(lambda: playback_id not in self._state.playing)
        finally:
            if playback_id in self._state.playing:
                self._state.playing.discard(playback_id)
                await self._quietly(lambda: self._client.playbacks.named(playback_id).stop())

    async def ask(
        self, *prompts: str, keypad: Keypad, first_key_timeout_s: float = 8, next_key_timeout_s: float = 4
    ) -> str:
        """Play prompts until the first key, then collect keys until the keypad says that it is enough."""
        if self._rooms.holds(self.id):
            await self._do(lambda: self._rooms.leave(self.id))
        keys = self._state.keys
        if not keys and prompts:
            await _first_done(self.play(*prompts), self._until(lambda: bool(keys)))
        entered, entry, timeout_s = "", Entry.OPEN, first_key_timeout_s
        while entry is Entry.OPEN:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._until(lambda: bool(keys))
            if not keys:
                break
            entered, entry = keypad.press(entered, keys.popleft())
            timeout_s = next_key_timeout_s
        return entered

    async def hold(self, queue: str, *, until_keys: str = "") -> str:
        """Put the caller on hold and wait for one of `until_keys`."""
        if not self._rooms.holds(self.id, queue):
            self.found_in = None
            await self._do(lambda: self._rooms.enter(queue, self.id))
        keys = self._state.keys
        while True:
            await self._until(lambda: bool(keys) and bool(until_keys))
            key = keys.popleft()
            if key in until_keys:
                return key

    async def connect(self, other: Call, *, on_joined: Callable[[], Awaitable[None]]) -> bool:
        """Join two channels in a bridge of their own and wait until one of them is gone."""
        if not isinstance(other, AriCall):
            raise TypeError("only a call on the same PBX can be joined")
        bridge_id = names.talk_bridge(self.id)
        try:
            bridge = await self._do(lambda: make_bridge(self._client, bridge_id, kind="mixing", name=bridge_id))
            try:
                await other.enter(bridge)
            except CallerHungUp:
                await self._quietly(bridge.destroy)
                return False
            await self.enter(bridge)
            await on_joined()
            await _first_done(self.gone(), other.gone())
        except BaseException:
            await self._quietly(self._client.bridges.named(bridge_id).destroy)
            raise
        # The agent is free now: nobody waits for the bridge to go but what this call does next.
        self._behind = asyncio.ensure_future(self._quietly(self._client.bridges.named(bridge_id).destroy))
        return True

    async def record(self, recording_id: str) -> None:
        """Have the bridge of the talk recorded."""
        await self._do(lambda: self._record(recording_id))

    async def _record(self, recording_id: str) -> None:
        try:
            # It runs already: asked for before, over a connection that was lost, or by an earlier process.
            await self._client.recordings.live(recording_id).get()
        except AriNotFound:
            await self._client.bridges.named(names.talk_bridge(self.id)).record(recording_id)

    async def enter(self, bridge: Bridge) -> None:
        """Move into a bridge, out of whichever this was in.

        Who was found in it after a restart is left alone: to be moved in again parts people who talk for a moment.
        """
        is_in_it, self.found_in, self.has_joined = self.found_in == bridge.id, None, True
        if is_in_it:
            return
        self._rooms.moved_on(self.id)
        await self._do(lambda: bridge.add_channel(self.id))

    async def remember(self, **marks: str) -> None:
        """Set marks as channel variables, in one request. Raises KeyError for one that no variable is for."""
        variables = {MARKS[mark]: value for mark, value in marks.items()}
        await self._do(lambda: self._channel.set_channel_vars(variables))
        self.language = marks.get("language") or self.language
        if "consent" in marks:
            self.consent = consent_in(marks["consent"])

    async def hang_up(self) -> None:
        """Hang up, if there still is something to hang up."""
        self.unwanted = True
        await self._after_talk()
        if self._state.gone is None:
            await self._quietly(self._channel.hangup)

    async def hush(self) -> None:
        """Stop whatever an earlier process was playing to this channel: until its end Asterisk does nothing else."""
        await asyncio.gather(
            *(self._quietly(self._client.playbacks.named(playback).stop) for playback in names.playbacks(self.id))
        )

    async def gone(self) -> None:
        """Return when the channel is gone."""
        await self._state.until(lambda: False)

    async def _until(self, condition: Callable[[], bool]) -> None:
        await self._state.until(condition)
        if self._state.gone is not None:
            raise CallerHungUp(self.id)

    async def _do(self, request: Callable[[], Awaitable[T]]) -> T:
        """Send one request of a verb, one after the other for each call; outlast a lost connection.

        Raises CallerHungUp when the channel is gone, PbxUnavailableError when Asterisk refuses for another reason.
        """
        async with self._queue_of_requests:
            await self._after_talk()
            while True:
                if self._state.gone is not None:
                    raise CallerHungUp(self.id)
                try:
                    return await request()
                except AriDisconnected:
                    # Repeatable: each verb's request has the same effect when it is sent twice.
                    await self._client.wait_connected()
                except AriTimeout:
                    log.warning("the PBX is slow; asking again", call_id=self.id)
                except AriRefused as error:
                    # A channel that is going is refused before its end is announced.
                    with suppress(TimeoutError):
                        async with asyncio.timeout(HANGUP_GRACE_S):
                            await self.gone()
                    if self._state.is_gone or isinstance(error, AriNotFound):
                        raise CallerHungUp(self.id) from error
                    raise PbxUnavailableError(str(error)) from error

    async def _after_talk(self) -> None:
        """Wait for the bridge of a talk that is over to be gone."""
        behind, self._behind = self._behind, None
        if behind is not None:
            await behind

    async def _quietly(self, request: Callable[[], Awaitable[Any]]) -> None:
        """Send a request whose failure changes nothing, to its end even when this task is being cancelled."""

        async def attempt() -> None:
            with suppress(AriError):
                await request()

        await asyncio.shield(asyncio.ensure_future(attempt()))

"""What supervisors do to calls that are journeys': hang an agent's phone up, hear a talk.

Who listens has two channels of ours: their phone, and an ear, which hears both directions of the agent's channel and
says nothing (ARI's snoop, without whisper). Both parties' channels and their bridge are left as they are.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from controller.asterisk import names
from controller.asterisk.ari.errors import AriError, AriNotFound
from controller.asterisk.call import AriCall
from controller.asterisk.call_state import CallState
from controller.asterisk.hold_rooms import make_bridge
from controller.asterisk.sounds_check import missing_prompts
from controller.ports.calls import CallFacts, NotListening, PbxUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable
    from typing import Any

    from controller.asterisk.ari.client import AriClient
    from controller.asterisk.following import Following
    from controller.asterisk.hold_rooms import HoldRooms
    from controller.ports.clock import Clock

log = structlog.get_logger(__name__)

ANSWER_S = 30
"""So long does the phone of who wants to listen ring."""
_ENDPOINT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
_PROMPT = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)


class AriOversight:
    """`Oversight` on ARI, over the calls that are followed."""

    def __init__(
        self,
        client: AriClient,
        following: Following,
        rooms: HoldRooms,
        clock: Clock,
        trunks: Iterable[str],
        new_id: Callable[[], str],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        """Take what it works with. `trunks` are endpoints that nobody listens with."""
        self._client = client
        self._following = following
        self._rooms = rooms
        self._clock = clock
        self._trunks = frozenset(trunks)
        self._new_id = new_id
        self._spawn = spawn

    def drop_strangers(self, channel_ids: Iterable[str]) -> None:
        """Hang up those who listened before a restart: they can ask for it again."""
        for channel_id in channel_ids:
            if names.is_listening(channel_id) and channel_id not in self._following:
                self._spawn(self._drop(channel_id))

    async def hang_up_on(self, endpoint: str) -> bool:
        """Hang up an agent's phone, by its endpoint; the talk first. False: it is on no call of ours."""
        calls = self._calls_of(endpoint)
        if not calls:
            return False
        await max(calls, key=lambda call: call.has_joined).hang_up()
        return True

    async def listen(self, agent: str, endpoint: str, *, caller_id: str) -> NotListening | None:
        """Ring a phone, by its endpoint, and let it hear the talk that an agent's phone (another endpoint) is in.

        Returns once it is known that both are there; the phone's shows `caller_id`. Raises PbxUnavailableError.
        """
        talk = next((call for call in self._calls_of(agent) if call.has_joined), None)
        if talk is None:
            return NotListening.NO_TALK
        if agent == endpoint or not await self._is_phone(endpoint):
            return NotListening.NO_PHONE
        listening_id = self._new_id()
        phone = self._prepared(names.phone_of(listening_id), endpoint)
        ear = self._prepared(names.ear_of(listening_id), endpoint)
        self._spawn(self._see_through(listening_id, talk, phone, ear, endpoint, caller_id))
        return None

    async def has_prompt(self, prompt: str, languages: Iterable[str]) -> bool:
        """Tell whether the PBX has a prompt in every one of these languages. Raises PbxUnavailableError."""
        if not _PROMPT.fullmatch(prompt):
            return False
        try:
            return not await missing_prompts(self._client, [prompt], sorted(languages))
        except AriError as error:
            raise PbxUnavailableError(str(error)) from error

    def _calls_of(self, endpoint: str) -> list[AriCall]:
        return [
            call
            for call in self._following.calls
            if call.facts.endpoint == endpoint
            and call.state.up
            and not call.state.is_gone
            and not names.is_listening(call.id)
        ]

    async def _is_phone(self, endpoint: str) -> bool:
        if not _ENDPOINT.fullmatch(endpoint) or endpoint in self._trunks:
            return False
        try:
            found = await self._client.endpoints.get("PJSIP", endpoint)
        except AriNotFound:
            return False
        except AriError as error:
            raise PbxUnavailableError(str(error)) from error
        return found.state != "offline"

    async def _see_through(
        self, listening_id: str, talk: AriCall, phone: AriCall, ear: AriCall, endpoint: str, caller_id: str
    ) -> None:
        bridge_id = f"{names.LISTENING}-{listening_id}"
        told = {"call_id": talk.id, "endpoint": endpoint}
        try:
            await self._client.channels.originate(
                f"PJSIP/{endpoint}",
                channel_id=phone.id,
                timeout_s=ANSWER_S,
                app=self._client.app,
                app_args=names.LISTENING,
                caller_id=names.digits_only(caller_id) or "anonymous",
            )
            async with asyncio.timeout(ANSWER_S + 5):
                await _until_one_is(lambda: phone.state.in_stasis, phone, talk)
            if phone.state.is_gone or talk.state.is_gone:
                log.info("nobody listens", **told)
                return
            # Only now: nobody is heard for a phone that is not answered.
            await self._client.channels.named(talk.id).snoop(ear.id, app=self._client.app, app_args=names.LISTENING)
            await _until_one_is(lambda: ear.state.in_stasis, phone, talk, ear)
            bridge = await make_bridge(self._client, bridge_id, kind="mixing", name=bridge_id)
            await bridge.add_channel(phone.id, ear.id)
            log.info("a talk is listened to", **told)
            await _until_one_is(lambda: False, phone, talk, ear)
            log.info("a talk is listened to no more", **told)
        except (AriError, TimeoutError) as error:
            log.warning("a talk cannot be listened to", reason=str(error), **told)
        finally:
            await asyncio.shield(asyncio.ensure_future(self._clear(bridge_id, phone, ear)))

    def _prepared(self, channel_id: str, endpoint: str) -> AriCall:
        """Follow a channel that is about to be made."""
        facts = CallFacts(number=None, dialled="", arrived_at=self._clock.now(), endpoint=endpoint)
        state = CallState(up=False, in_stasis=False)
        call = AriCall(self._client, channel_id, state, rooms=self._rooms, facts=facts, language="")
        self._following.follow(call)
        return call

    async def _drop(self, channel_id: str) -> None:
        with suppress(AriError):
            await self._client.channels.named(channel_id).hangup()

    async def _clear(self, bridge_id: str, phone: AriCall, ear: AriCall) -> None:
        for call in (ear, phone):
            await call.hang_up()
            # No last event comes of a channel that was never made.
            if not call.state.in_stasis:
                self._following.forget(call.id)
        with suppress(AriError):
            await self._client.bridges.named(bridge_id).destroy()


async def _until_one_is(condition: Callable[[], bool], *calls: AriCall) -> None:
    """Return once it is so, or one of the channels is gone."""
    watches = [asyncio.ensure_future(call.state.until(condition)) for call in calls]
    try:
        await asyncio.wait(watches, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)

"""The desk for callers whom a dialplan hands over: the right queue and language, a guard, and a record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from controller.domain.call_ending import Ending
from controller.domain.phone_number import mask
from controller.journeys.existing_dialplan import KEPT, DialplanResult, promise_for_dialplan
from controller.ports.calls import CallerHungUp, PbxUnavailableError
from controller.ports.promises import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from controller.asterisk.agi.conversation import AgiConversation
    from controller.journeys.house import House, Queue

log = structlog.get_logger(__name__)

SCRIPT = "promise"
PARAMETERS = frozenset({"queue", "lang", "since"})


class AgiDesk:
    """Gives each caller from a dialplan the journey that was asked for. One call's fault ends that call alone."""

    def __init__(self, house: House, *, languages: Collection[str]) -> None:
        self._house = house
        self._languages = frozenset(languages)

    async def receive(self, caller: AgiConversation) -> None:
        """See one caller through and tell the dialplan the result. Raises nothing but a cancellation."""
        with structlog.contextvars.bound_contextvars(call_id=caller.id):
            queue = self._queue_for(caller)
            if queue is None:
                await self._report(caller, DialplanResult.UNAVAILABLE)
                return
            log.info("call from a dialplan", queue=queue.name, number=mask(caller.facts.number))
            result = await self._guide(caller, queue)
            log.info("call goes back to its dialplan", result=result.value if result else "hung up")
            await self._record(caller, queue, result)
            if result is not None:
                await self._report(caller, result)

    async def _guide(self, caller: AgiConversation, queue: Queue) -> DialplanResult | None:
        """Play the journey; None: they hung up before there was a promise."""
        try:
            await caller.remember(language=self._language(caller.request.parameters, queue))
            return await promise_for_dialplan(caller, queue, self._house)
        except CallerHungUp:
            return None
        except PbxUnavailableError as error:
            log.warning("the PBX does not carry out what is asked of it", reason=str(error))
        except Exception:
            log.exception("a caller's journey failed")
        return await self._result_all_the_same(caller)

    async def _result_all_the_same(self, caller: AgiConversation) -> DialplanResult:
        """Return the result of a journey that failed: what failed may have come after the promise."""
        try:
            made = await self._house.promises.made_on_call(caller.id)
        except StoreUnavailableError:
            return DialplanResult.UNAVAILABLE
        return DialplanResult.PROMISED if made else DialplanResult.UNAVAILABLE

    async def _record(self, caller: AgiConversation, queue: Queue, result: DialplanResult | None) -> None:
        """Write down a call that ended here. One that goes back to its own queue stands in that queue's figures."""
        if result is not None and result not in KEPT:
            return
        calls, facts, now = self._house.calls, caller.facts, self._house.clock.now()
        arrived_at, pbx = facts.arrived_at, self._house.pbx
        await calls.arrived(caller.id, dialled=facts.dialled, number=facts.number, arrived_at=arrived_at, pbx=pbx)
        closed = not queue.hours.is_open(facts.arrived_at)
        await calls.joined(caller.id, queue=queue.name, joined_at=facts.arrived_at, closed=closed)
        await calls.ended(caller.id, ending=Ending.PROMISED if result else Ending.ABANDONED, ended_at=now)

    async def _report(self, caller: AgiConversation, result: DialplanResult) -> None:
        try:
            await caller.report(result)
        except (CallerHungUp, PbxUnavailableError) as reason:
            log.info("the dialplan could not be told", result=result.value, reason=type(reason).__name__)

    def _queue_for(self, caller: AgiConversation) -> Queue | None:
        """Return the queue that the dialplan names; None, said in the log, when it asks for what is not here."""
        script, parameters = caller.request.script, caller.request.parameters
        if script != SCRIPT:
            log.error("a dialplan asks for an unknown service; write agi://HOST/promise", asked=script[:40])
            return None
        unknown = sorted(name[:40] for name in set(parameters) - PARAMETERS)
        if unknown:
            log.warning("a dialplan sends parameters that nobody knows; they are ignored", names=unknown)
        queue = self._house.queues.get(parameters.get("queue", ""))
        if queue is None:
            log.error(
                "a dialplan asks for an unknown queue; name one of the settings",
                asked=parameters.get("queue", "")[:40],
                queues=sorted(self._house.queues),
            )
        return queue

    def _language(self, parameters: Mapping[str, str], queue: Queue) -> str:
        """Return the language asked for, `ja` for `ja_JP` too; the queue's own when there are no prompts in it."""
        asked = parameters.get("lang", "")
        for language in (asked, asked.partition("_")[0]):
            if language in self._languages:
                return language
        if asked:
            log.warning("a dialplan asks for a language without prompts; the queue's own is spoken", asked=asked[:20])
        return queue.language

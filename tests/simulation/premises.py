"""Where a day is played: the loop, the clocks, the PBX, the rows of the database; and one controller after another."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from controller.domain.lifecycle import Cancelled, CancelReason, RefusedTransitionError
from controller.domain.menu import Entrance, JoinQueue, JoinUrgently
from controller.domain.outcome import Outcome
from controller.domain.phone_number import DialableNumber, check
from controller.domain.retry_policy import RetryPolicy
from controller.journeys.redial_by_hand import REDIAL
from controller.ports.lease import lease_of_pbx
from tests.simulation import people
from tests.simulation.carrier import Carrier
from tests.simulation.clock import DayClock, DayLoop
from tests.simulation.correspondents import Correspondents
from tests.simulation.day_plan import Day, Deed, Happening
from tests.simulation.far_end import FarEnd, SeenTelephony, What
from tests.simulation.memory_data import MemoryData
from tests.simulation.memory_store import MemoryStore
from tests.simulation.office import LEASE_S, Office
from tests.simulation.site import GAPS_S, Customers, Staff, gate_of, queue_of
from tests.simulation.weather import Trouble

if TYPE_CHECKING:
    from tests.journeys.scripted_call import Moment, Step

DEAD_LEASE_S = 4.0
"""How long the lease of a controller that was killed lasts."""
LOOK_AGAIN_S = 120.0
LONGEST_S = 4 * 86_400.0


class Premises:
    """One day, to be played once."""

    def __init__(self, day: Day) -> None:
        self.day = day
        self.loop = DayLoop()
        self.clock = DayClock(self.loop, day.start)
        self.far_end = FarEnd(self.clock)
        self.data = MemoryData()
        self._ids = itertools.count(1)
        self.gate = gate_of(day)
        self.queues = {each.name: queue_of(day, each) for each in day.queues}
        self.policies = {
            name: RetryPolicy(day.max_attempts, gap_s=GAPS_S, lifetime_s=day.lifetime_s) for name in self.queues
        }
        self.entrances = (
            Entrance("cards", (people.CARDS,), "ja", JoinQueue("cards")),
            Entrance("loans", (people.LOANS,), "en", JoinQueue("loans")),
            Entrance("urgent", (people.URGENT,), "ja", JoinUrgently("cards")),
        )
        self.registered = set(day.staff)
        self.office: Office | None = None
        self.pbx = SeenTelephony(self.clock, self.far_end, asyncio.Event(), lambda _prompt: 1.5)
        self.far_end.is_listening = self._is_listening
        self.pbx.agents = Staff(day)
        self.pbx.customers = Customers(day)
        self.pbx.gate = self._refusal
        self.pbx.plans.append(self._count_step)
        self.correspondents = Correspondents(self)
        self.carrier = Carrier(self, self.correspondents.gets)
        self._steps = 0
        self._offices = 0
        self._link_holds = 0
        self._deeds: list[asyncio.Task[None]] = []

    def new_id(self) -> str:
        """Return an id that sorts by age."""
        return f"id{next(self._ids):06}"

    # -- the day

    def play(self) -> FarEnd:
        """Let the whole day happen."""
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_until_complete(self._day())
        finally:
            self._clear_up()
        return self.far_end

    async def _day(self) -> None:
        day, loop = self.day, self.loop
        self._open_office()
        for arrival in day.arrivals:
            loop.call_at(arrival.at_s, self._arrives, arrival)
        for happening in day.happenings:
            loop.call_at(happening.at_s, self._begin, happening)
        for outage in day.outages:
            loop.call_at(outage.starts_s, self.far_end.see, What.FAULT, outage.trouble.value, f"{outage.ends_s:.3f}")
        await asyncio.sleep(day.active_s * 1.2 + 200)
        for name in day.staff:  # Whoever is needed to the last comes back.
            self._sign(name, here=True)
        while not self._is_over() and loop.time() < LONGEST_S:  # noqa: ASYNC110 - nobody could tell us
            await asyncio.sleep(LOOK_AGAIN_S)

    def _is_over(self) -> bool:
        """Tell whether nothing would happen any more. It only saves time: the judge asks nobody here."""
        return not (
            self.data.open_numbers
            or self.pbx.live
            or self.data.live
            or self.office is None
            or any(row.status.value in {"queued", "sending"} for row in self.data.sms.values())
            or any(row.handled_at is None for row in self.data.replies.values())
            or not (self.carrier.is_idle and self.correspondents.is_idle)
        )

    def _clear_up(self) -> None:
        self.pbx.lose_controller()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        asyncio.set_event_loop(None)
        self.loop.run_until_complete(_one_turn())
        self.loop.close()

    # -- what people do

    def _arrives(self, arrival: people.Arrival) -> None:
        channel = self.pbx.comes_in(arrival.person, arrival.number, arrival.dialled, heard=self._is_listening())
        self.far_end.channels[channel.id] = channel

    def _is_listening(self) -> bool:
        return self.office is not None and self.pbx.link.is_set()

    def _sign(self, name: str, *, here: bool) -> None:
        (self.registered.add if here else self.registered.discard)(name)
        if self.office is not None:
            self.office.look_at_phone(name)

    async def _withdraw(self, happening: Happening) -> None:
        """Cancel what a number holds, or write it on the list: by another process, as the admin's command is."""
        number = check(happening.whom, self.gate.plan)
        office = self.office
        if not isinstance(number, DialableNumber) or office is None or self._database_is_away():
            return
        # As another process does, which rings the controller's doorbell afterwards; now and then nobody hears it.
        store = MemoryStore(self.data, policies=self.policies, clock=self.clock, new_id=self.new_id)
        is_heard = self.day.dice("doorbell", happening.at_s).random() < 0.8
        if happening.deed is Deed.STOP:
            blocked = await store.do_not_call.block(number.e164, reason="STOP by SMS")
            self.far_end.see(What.BLOCKED, number.e164)
            for promise in blocked if is_heard else ():
                office.hearsay.hear_of(promise.id)
            return
        for queue in self.queues:
            held = await store.promises.open_for(queue, number.e164)
            if held is None:
                continue
            try:
                await store.promises.advance(held.id, Cancelled(CancelReason.ADMIN))
            except RefusedTransitionError:
                continue
            self.far_end.see(What.CANCELLED, number.e164, queue)
            if is_heard:
                office.hearsay.hear_of(held.id)

    def _redial(self, shown: str) -> None:
        """Have an agent, whose phone is idle, call a customer back by hand."""
        busy = {channel.agent for channel in self.pbx.live}
        idle = sorted(self.registered - busy)
        number = check(shown, self.gate.plan)
        if idle and isinstance(number, DialableNumber) and self._is_listening():
            person = people.agent(self.day.dice("redial", shown))
            channel = self.pbx.agent_dials(idle[0], REDIAL + number.national, person)
            channel.up = True

    def _database_is_away(self) -> bool:
        now_s = self.loop.time()
        return any(
            each.starts_s <= now_s < each.ends_s for each in self.day.outages if each.trouble is not Trouble.DEAF
        )

    # -- what goes wrong

    def _begin(self, happening: Happening) -> None:
        self._deeds.append(self.loop.create_task(self._happens(happening)))

    async def _happens(self, happening: Happening) -> None:
        match happening.deed:
            case Deed.KILL:
                self.kill(self.office, after_s=happening.lasts_s)
            case Deed.PBX_DIES | Deed.LINK_LOST:
                await self._lose_link(happening)
            case Deed.CLOCK_SET:
                self.clock.set_by(happening.lasts_s)
                self.far_end.see(What.FAULT, happening.deed.value, f"{happening.lasts_s:+.1f}")
            case Deed.RIVAL:
                await self._rival(happening.lasts_s)
            case Deed.CANCEL | Deed.STOP:
                await self._withdraw(happening)
            case Deed.SIGN_IN | Deed.SIGN_OUT:
                self._sign(happening.whom, here=happening.deed is Deed.SIGN_IN)
            case Deed.REDIAL:
                self._redial(happening.whom)

    def kill(self, office: Office | None, *, after_s: float) -> None:
        """Kill a controller where it stands; another one comes up after a while."""
        if office is None or office is not self.office:
            return
        self.far_end.see(What.FAULT, Deed.KILL.value)
        self.pbx.lose_controller()
        self.office = None
        self._deeds.append(self.loop.create_task(self._bury(office, after_s)))

    async def _bury(self, office: Office, after_s: float) -> None:
        await office.die()
        held = self.data.leases.get(lease_of_pbx())
        if held is not None and held.holder == office.name:
            self.data.leases[held.name] = replace(held, expires_at=self.clock.now() + timedelta(seconds=DEAD_LEASE_S))
        await asyncio.sleep(after_s)
        self._open_office()

    def _open_office(self) -> None:
        self._offices += 1
        self.office = Office(self, self._offices)
        self.office.open()

    def _count_step(self, _step: Step, _moment: Moment) -> None:
        self._steps += 1
        if self._steps in self.day.kill_at_steps:
            self.kill(self.office, after_s=1.0 + self._steps % 7)

    async def _lose_link(self, happening: Happening) -> None:
        self.far_end.see(What.FAULT, happening.deed.value, f"{happening.lasts_s:.1f}")
        self._link_holds += 1
        self.pbx.link.clear()
        if self.office is not None:
            self.office.lose_link()
        if happening.deed is Deed.PBX_DIES:
            for channel in self.pbx.live:
                channel.hang_up("PBX died")
        await asyncio.sleep(happening.lasts_s)
        self._link_holds -= 1
        if self._link_holds == 0:
            self.pbx.link.set()
            if self.office is not None:
                self.office.connected.set()

    async def _rival(self, lasts_s: float) -> None:
        """Have another controller take the lease, as one does whose colleague stood still; it gives it back later."""
        if self.office is None:
            return
        leases = self.office.store.leases
        held = self.data.leases.get(lease_of_pbx())
        if held is not None:
            self.data.leases[held.name] = replace(held, expires_at=self.clock.now() - timedelta(seconds=1))
        rival = await leases.take(lease_of_pbx(), "rival", "rival", lasts_s + LEASE_S)
        self.far_end.see(What.FAULT, Deed.RIVAL.value)
        await asyncio.sleep(lasts_s)
        await leases.release(rival)
        self.far_end.see(What.FAULT, "lease given back")

    def _refusal(self, number: str) -> Outcome | None:
        """Be the last step before a call is placed, as the adapter to the PBX is."""
        cleared = self.gate.clear(number, self.clock.now())
        if isinstance(cleared, Outcome):
            return cleared
        if self.office is None or self.office.lease.term is None:
            return Outcome.NOT_PLACED
        return Outcome.BLOCKED if number in self.data.blocked else None


async def _one_turn() -> None:
    await asyncio.sleep(0)

"""What the settings mean for the rooms of the house: plain values, made once at the start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from controller.asterisk.languages import Languages
from controller.asterisk.legs import OutboundStyle
from controller.asterisk.trunks import Trunk
from controller.domain.agents import Agent, AgentState
from controller.domain.figure_facts import ClockStart, Counting
from controller.domain.phone_number import as_printed
from controller.domain.recording import RecordingMode
from controller.domain.signed import Signer
from controller.domain.sms_gate import SmsGate
from controller.domain.sms_limits import SmsBill
from controller.domain.staffing import Target
from controller.journeys import prompts
from controller.journeys.house import Announcements, Callbacks, DialMode, Limits, Offer, Queue, Recapture
from controller.sms.segments import segments
from controller.sms.texts import Signature
from controller.workers.floor import FloorRules

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from typing import Any

    from controller import settings as told
    from controller.ports.sms import QueuedSms
    from controller.settings import Settings


def queues(settings: Settings) -> dict[str, Queue]:
    """Return the queues as journeys know them, by name, in the order of the file."""
    hours, plans = settings.opening_hours, settings.slot_plans
    return {
        queue.name: Queue(
            name=queue.name,
            language=queue.language,
            hours=hours[queue.name],
            calling_hours=settings.gate.hours,
            announcements=announcements(queue),
            limits=limits(queue),
            slots=plans.get(queue.name),
            callbacks=callbacks(queue),
            recording=RecordingMode(queue.recording),
            confirm_sms=queue.confirm_sms,
            recapture=None if queue.recaptured_after_s is None else Recapture(queue.recaptured_after_s),
            agent_ring_timeout_s=queue.agent_ring_timeout_s,
            customer_ring_timeout_s=queue.customer_ring_timeout_s,
            wrap_up_s=queue.wrap_up_s,
            missed_pause_s=queue.missed_pause_s,
        )
        for queue in settings.queues
    }


def announcements(queue: told.Queue) -> Announcements:
    """Return what callers of a queue hear beside the music."""
    said = queue.announcements
    return Announcements(
        interval_s=said.interval_s,
        place=said.place,
        wait=said.wait,
        offer=Offer(said.offer),
        offer_wait_s=said.offer_after_wait_s,
    )


def callbacks(queue: told.Queue) -> Callbacks:
    """Return how the customers of a queue are called back."""
    given = queue.callbacks
    return Callbacks(
        mode=DialMode(given.mode),
        postpone_s=given.postpone_s,
        pass_pause_s=given.pass_pause_s,
        max_deck_s=given.max_deck_s,
        detect_machine=given.detect_machine,
        machine_message=given.machine_message,
    )


def trunks(settings: Settings) -> list[Trunk]:
    """Return the ways out, in order."""
    return [
        Trunk(
            trunk.endpoint,
            trunk.caller_id or settings.dialer.caller_id,
            national=trunk.number_format == "national",
            max_concurrent_calls=trunk.max_concurrent_calls,
            calls_per_s=trunk.calls_per_s,
            name=trunk.name,
        )
        for trunk in settings.ways_out
    ]


def outbound_styles(settings: Settings) -> dict[str, OutboundStyle]:
    """Return how the customers of each queue are called."""
    return {
        queue.name: OutboundStyle(
            caller_id=queue.caller_id,
            detect_machine=queue.callbacks.detect_machine,
            machine_message=queue.callbacks.machine_message is not None,
        )
        for queue in settings.queues
    }


def limits(queue: told.Queue) -> Limits:
    """Return when the line of a queue is not for a caller, and where they go instead."""
    given = queue.limits
    return Limits(
        max_wait_s=given.max_wait_s,
        on_max_wait=given.on_max_wait,
        max_length=given.max_length,
        on_full=given.on_full,
        overflow_wait_s=given.overflow_wait_s,
        on_overflow=given.on_overflow,
        on_no_agents=given.on_no_agents,
        on_closed=given.on_closed,
    )


def music(settings: Settings) -> dict[str, str]:
    """Return the class of hold music by queue, where one is named."""
    return {queue.name: queue.music for queue in settings.queues if queue.music is not None}


def agents(settings: Settings, pbx: str, now: datetime) -> list[Agent]:
    """Return the agents of one Asterisk, by its name, signed out until their phones report themselves."""
    return [
        Agent(agent.name, agent.endpoint, frozenset(agent.queues), AgentState.SIGNED_OUT, now)
        for agent in settings.agents_of(pbx)
    ]


def languages(settings: Settings) -> Languages:
    """Return in which language a call is spoken to, by queue and by the number that was dialled."""
    return Languages(
        by_queue={queue.name: queue.language for queue in settings.queues},
        by_dialled={number: way.language for way in settings.ways_in for number in way.dialled_numbers},
    )


def wanted_prompts(settings: Settings) -> frozenset[str]:
    """Return every prompt that the PBX must have."""
    return prompts.ALL | settings.named_prompts


def signatures(settings: Settings) -> dict[str, Signature]:
    """Return how each queue signs its SMS."""
    shown = shown_number(settings)
    hours = settings.opening_hours
    return {queue.name: Signature(queue.titles, shown, hours[queue.name].zone) for queue in settings.queues}


def sms_bill(settings: Settings) -> Callable[[QueuedSms, str], SmsBill]:
    """Return what works out how an SMS is paid: by segments, at the tariff of the longest prefix that fits."""
    tariffs_milli = settings.sms.tariffs_milli

    def bill(sms: QueuedSms, text: str) -> SmsBill:
        fitting = [prefix for prefix in tariffs_milli if sms.number.startswith(prefix)]
        count = segments(text)
        return SmsBill(count, count * tariffs_milli[max(fitting, key=len)] if fitting else 0)

    return bill


def shown_number(settings: Settings) -> str:
    """Return the number that customers see, as people write it."""
    return as_printed(settings.dialer.caller_id, settings.dialer.home_country)


def signer(settings: Settings) -> Signer:
    """Return what signs links and codes."""
    return Signer(settings.secrets.web.get_secret_value().encode())


def floor_rules(settings: Settings) -> FloorRules:
    """Return what whoever looks after the floor may do there."""
    return FloorRules(
        staff={agent.name: frozenset(agent.queues) for agent in settings.agents},
        caller_id=settings.dialer.caller_id,
        allow_listening=settings.line.allow_listening,
        signs_in_by_hand=settings.agents_by_phone.sign_in == "pin",
    )


def sms_gate(settings: Settings) -> SmsGate:
    """Return which numbers may be sent an SMS."""
    return SmsGate(settings.sms_plan, settings.sms_plan.countries)


def counting(settings: Settings, queue: str | None = None) -> Counting:
    """Return how the calls of a queue are counted, by its name; None: those of all queues together.

    Raises LookupError for a queue that there is not.
    """
    told = _told_of_figures(settings, queue)
    told.pop("staffing", None)
    if "clock_start" in told:
        told["clock_start"] = ClockStart(told["clock_start"])
    return Counting(**told)


def target(settings: Settings, queue: str | None = None) -> Target:
    """Return what is planned for, as `counting`: answered in the target time that counts there."""
    told = {key: value for key, value in _told_of_staffing(settings, queue).items() if key in Target.__slots__}
    for key in ("abandon_share", "occupancy"):
        if told.get(key) == 1:
            told[key] = None
    return Target(answer_within_s=counting(settings, queue).answer_within_s, **told)


def shrinkage(settings: Settings, queue: str | None = None) -> float:
    """Return which share of paid time is spent otherwise, as `counting`."""
    return float(_told_of_staffing(settings, queue).get("shrinkage", 0.0))


def patience_s(settings: Settings, queue: str | None = None) -> float | None:
    """Return for how long callers hold on average, as `counting`; None: as the calls show it."""
    told = _told_of_staffing(settings, queue).get("patience_s")
    return None if told is None else float(told)


def _told_of_figures(settings: Settings, queue: str | None) -> dict[str, Any]:
    """Return what is set of figures: the queue's own goes before the house's; what neither sets is left out."""
    told = settings.figures.model_dump(exclude_none=True)
    if queue is None:
        return told
    found = next((each for each in settings.queues if each.name == queue), None)
    if found is None:
        raise LookupError(f"there is no queue {queue}")
    own = found.figures.model_dump(exclude_none=True)
    return {**told, **own, "staffing": {**told["staffing"], **own["staffing"]}}


def _told_of_staffing(settings: Settings, queue: str | None) -> Mapping[str, Any]:
    staffing: Mapping[str, Any] = _told_of_figures(settings, queue)["staffing"]
    return staffing

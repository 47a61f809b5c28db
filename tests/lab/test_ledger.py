from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from lab.ledger.carrier_ear import CarrierEar
from lab.ledger.facts import By, Fact, Kind, Means, read_facts
from lab.ledger.pbx_ear import PbxEar
from lab.ledger.post_ear import heard
from lab.ledger.watching import Ledger, lines_of

if TYPE_CHECKING:
    from pathlib import Path

NUMBER = "+818011300000"


def heard_at_carrier(*messages: dict[str, str]) -> list[Fact]:
    """Return the facts in what the carrier's AMI says, each message a second after the one before."""
    ear = CarrierEar()
    return [fact for at, one in enumerate(messages) for fact in ear.hear({"Timestamp": str(float(at)), **one})]


def invite(
    exten: str, leg: str = "1.5", context: str = "from-company", channel: str = "PJSIP/pbx-05"
) -> dict[str, str]:
    """Return the event of a new channel at the carrier."""
    return {"Event": "Newchannel", "Uniqueid": leg, "Context": context, "Channel": channel, "Exten": exten}


def hangup(leg: str = "1.5", context: str = "rings") -> dict[str, str]:
    """Return the event of its end."""
    return {"Event": "Hangup", "Uniqueid": leg, "Context": context, "Cause": "16"}


UP = {"Event": "Newstate", "Uniqueid": "1.5", "ChannelState": "6"}
WANTS_TO = {"Event": "UserEvent", "Uniqueid": "1.5", "UserEvent": "FarEnd", "Deed": "hangs-up"}


def test_a_call_from_the_company_is_seen_from_its_invite_to_its_end() -> None:
    """With the number in one form, however it was dialled."""
    facts = heard_at_carrier(invite("08011300000"), UP, hangup())
    assert [fact.kind for fact in facts] == [Kind.INVITE, Kind.ANSWERED, Kind.ENDED]
    assert {fact.number for fact in facts} == {NUMBER}
    assert facts[-1].by == By.COMPANY
    assert [fact.number for fact in heard_at_carrier(invite("+818011300000"))] == [NUMBER]


def test_a_key_that_says_no_longer_needed_is_written_down() -> None:
    """Whoever presses it may hang up before anything is said to them."""
    says_no = {"Event": "UserEvent", "Uniqueid": "1.5", "UserEvent": "FarEnd", "Deed": "not-needed"}
    assert [fact.kind for fact in heard_at_carrier(invite("08011300000"), says_no)] == [Kind.INVITE, Kind.PRESSED_NO]


def test_an_end_that_the_customer_wanted_is_told_from_one_that_was_done_to_them() -> None:
    """By what the far end says of itself, and by where it refuses calls."""
    assert heard_at_carrier(invite("08011300000"), WANTS_TO, hangup())[-1].by == By.FAR_END
    assert heard_at_carrier(invite("08011300000"), hangup(context="refuses-0"))[-1].by == By.FAR_END


@pytest.mark.parametrize(
    "message",
    [
        invite("s"),
        invite("0312345679", leg="caller-08011300000-ab12"),
        invite("08011300000", context="from-customers"),
        invite("agent-1", context="at-desk", channel="PJSIP/desk-03"),
        {"Event": "FullyBooted"},
    ],
    ids=["a caller's own call", "the same, with a number", "a customer's phone", "an agent's desk", "something else"],
)
def test_what_is_no_call_from_the_company_is_no_invite(message: dict[str, str]) -> None:
    """The ledger counts what the company dials, and nothing else."""
    assert heard_at_carrier(message, hangup(leg=message.get("Uniqueid", ""))) == []


def test_a_number_that_is_no_number_is_written_down_as_it_was_dialled() -> None:
    """It is the judge's to say what it is."""
    assert [fact.number for fact in heard_at_carrier(invite("sales"))] == ["sales"]


def channel(channel_id: str, name: str, number: str = "") -> dict[str, Any]:
    """Return a channel as ARI has it."""
    return {"id": channel_id, "name": name, "caller": {"number": number, "name": ""}}


def heard_at_pbx(*events: dict[str, Any]) -> list[Fact]:
    """Return the facts in what ARI says."""
    ear = PbxEar()
    return [fact for at, event in enumerate(events) for fact in ear.hear(event, float(at))]


CALLER = {"type": "ChannelCreated", "channel": channel("c1", "PJSIP/carrier-01", "08011300000")}
DIALLED = channel("c2", "PJSIP/carrier-02", "0312345678")
CUSTOMER = {"type": "Dial", "dialstring": "08011300000@carrier", "peer": DIALLED}
AGENT = {"type": "ChannelCreated", "channel": channel("a1", "PJSIP/agent-3-03")}


def playback(kind: str, prompt: str, state: str = "playing", target: str = "c1") -> dict[str, Any]:
    """Return an event of a prompt."""
    told = {"id": "p1", "media_uri": f"sound:orikaeshi/{prompt}", "target_uri": f"channel:{target}", "state": state}
    return {"type": kind, "playback": told}


def bridging(kind: str, who: dict[str, Any], bridge_type: str = "mixing") -> dict[str, Any]:
    """Return an event of a bridge."""
    return {"type": kind, "bridge": {"id": "b1", "bridge_type": bridge_type}, "channel": who}


def test_a_promise_is_acknowledged_once_it_was_heard_to_the_end() -> None:
    """The beginning of it, or another prompt, or a playback that failed because they hung up, is no promise."""
    whole = (playback("PlaybackStarted", "promise-made"), playback("PlaybackFinished", "promise-made", "done"))
    assert [(fact.kind, fact.number) for fact in heard_at_pbx(CALLER, *whole)] == [(Kind.ACKNOWLEDGED, NUMBER)]
    assert heard_at_pbx(CALLER, whole[0]) == []
    assert heard_at_pbx(CALLER, playback("PlaybackFinished", "promise-made", "failed")) == []
    assert heard_at_pbx(CALLER, playback("PlaybackFinished", "welcome", "done")) == []


def test_a_promise_said_in_a_row_of_prompts_is_acknowledged_when_the_next_begins() -> None:
    """Only the last of a row has a finish of its own."""
    facts = heard_at_pbx(
        CALLER, playback("PlaybackStarted", "promise-exists"), playback("PlaybackContinuing", "goodbye")
    )
    assert [fact.kind for fact in facts] == [Kind.ACKNOWLEDGED]


@pytest.mark.parametrize(
    ("prompt", "kind", "later_s"), [("cancelled", Kind.CANCELLED, 0), ("later-20", Kind.LATER, 1200)]
)
def test_what_a_customer_is_told_on_a_callback_is_written_down(prompt: str, kind: Kind, later_s: float) -> None:
    """Their number is the one that was dialled, whatever the call shows."""
    facts = heard_at_pbx(CUSTOMER, playback("PlaybackFinished", prompt, "done", target="c2"))
    assert [(fact.kind, fact.number, fact.later_s) for fact in facts] == [(kind, NUMBER, later_s)]


def test_a_talk_is_a_customer_and_an_agent_in_one_bridge() -> None:
    """Its end is when one of them is gone; a room where they only wait is none."""
    two = (
        bridging("ChannelEnteredBridge", channel("a1", "PJSIP/agent-3-03")),
        bridging("ChannelEnteredBridge", DIALLED),
    )
    over = {"type": "ChannelDestroyed", "channel": channel("c2", "PJSIP/carrier-02")}
    facts = heard_at_pbx(AGENT, CUSTOMER, *two, over)
    assert [(fact.kind, fact.number, fact.agent) for fact in facts] == [
        (Kind.TALK, NUMBER, "agent-3"),
        (Kind.TALK_OVER, NUMBER, "agent-3"),
    ]
    waiting = [{**event, "bridge": {"id": "b1", "bridge_type": "holding"}} for event in two]
    assert heard_at_pbx(AGENT, CUSTOMER, *waiting, over) == []


async def test_lines_of_a_file_come_once_each_and_whole(tmp_path: Path) -> None:
    """Also when the file comes later, and a line in two pieces."""
    path, lines = tmp_path / "outbox.jsonl", []

    async def read() -> None:
        async for line in lines_of(path):
            lines.append(line)
            if len(lines) == 3:
                return

    reading = asyncio.create_task(read())
    await asyncio.to_thread(path.write_text, "one\ntw", "utf-8")
    with path.open("a", encoding="utf-8") as file:
        file.write("o\nthree\n")
    await asyncio.wait_for(reading, 20)
    assert lines == ["one", "two", "three"]


def line(event: str, **fields: object) -> dict[str, object]:
    """Return a line of a provider's record, or of a customer's."""
    return {"time": "2026-11-23T12:00:00+00:00", "event": event, "number": NUMBER, **fields}


async def test_what_a_provider_took_is_read_from_its_record(tmp_path: Path) -> None:
    """And a ledger that is being written is read up to its last whole line."""
    record, out = tmp_path / "provider.jsonl", tmp_path / "ledger.jsonl"
    record.write_text(json.dumps(line("taken", key="ab12:gave_up", text="...")) + "\n", "utf-8")
    with out.open("a", encoding="utf-8") as file:
        watching = asyncio.create_task(Ledger(file).watch_post(record))
        async with asyncio.timeout(20):
            async for _ in lines_of(out):
                break
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        file.write('{"half a li')
    assert [(fact.kind, fact.number, fact.text) for fact in read_facts(out)] == [(Kind.SMS, NUMBER, "gave_up")]


@pytest.mark.parametrize(
    ("key", "word"),
    [("ab12:gave_up", "gave_up"), ("ab12:confirmed:4", "confirmed"), ("reply-7:reply_help", "reply_help"), ("x", "")],
)
def test_an_sms_is_known_by_the_second_word_of_its_key(key: str, word: str) -> None:
    """Behind it may stand which one of its kind it is."""
    assert [fact.text for fact in heard(line("taken", key=key))] == [word]


@pytest.mark.parametrize(
    ("fault", "kinds"),
    [
        *((fault, [Kind.SMS_OPEN]) for fault in ("hang", "cut", "broken")),
        *((fault, []) for fault in ("none", "throttled", "unavailable", "refused", "taken_then_silent")),
    ],
)
def test_a_request_that_may_have_been_taken_for_all_that_can_be_known_is_written_down(
    fault: str, kinds: list[Kind]
) -> None:
    """What was taken has a line of its own; what was refused in so many words may be asked for again."""
    assert [fact.kind for fact in heard(line("request", key="ab12:gave_up", fault=fault))] == kinds


def test_a_reply_counts_once_it_was_acknowledged_and_its_time_from_then() -> None:
    """A time is so many seconds away; what nobody took, or what means nothing, is no request."""
    at = line("reply", means="at", wants="2026-11-23T12:02:00+00:00", status=204)
    facts = [*heard(at), *heard(line("booked", means="cancel", status=303))]
    assert [(fact.kind, fact.text, fact.later_s) for fact in facts] == [
        (Kind.REPLIED, Means.AT, 120),
        (Kind.BOOKED, Means.CANCEL, 0),
    ]
    assert heard(line("reply", means="now", status=503)) == heard(line("reply", status=200)) == []


def test_the_ledger_imports_nothing_of_the_controller() -> None:
    """A judge who lives in the house of the accused is none."""
    code = "import sys, lab.ledger.__main__; print([name for name in sys.modules if name.startswith('controller')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == "[]"

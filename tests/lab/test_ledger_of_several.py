"""The ledger where there are several Asterisks: what happened at which, and whose end ends what."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lab.cluster_front import one_front
from lab.ledger.carrier_ear import CarrierEar
from lab.ledger.facts import By, Fact, Kind, as_line, from_line
from lab.ledger.judge import Fault, judge, legs_of
from lab.ledger.rules import Rules
from lab.text_messages import free_port

if TYPE_CHECKING:
    from collections.abc import Sequence

NUMBER, OTHER = "+818011300000", "+818011300001"
INFINITE = float("inf")


def faults(facts: Sequence[Fact], rules: Rules) -> list[Fault]:
    """Return what the judge finds, by kind."""
    return [one.fault for one in judge(facts, rules)]


def talk(number: str, pbx: str, *, began_s: float, agent: str = "agent-1") -> list[Fact]:
    """Return a call that was answered and became a talk, and goes on."""
    leg = f"{pbx}-{began_s}"
    return [
        Fact(began_s - 5, Kind.ACKNOWLEDGED, number, pbx=pbx),
        Fact(began_s, Kind.INVITE, number, leg, pbx=pbx),
        Fact(began_s + 1, Kind.ANSWERED, number, leg),
        Fact(began_s + 2, Kind.TALK, number, agent=agent, pbx=pbx),
    ]


def test_which_asterisk_placed_a_call_is_read_from_the_trunk_that_it_came_by() -> None:
    """Of the only one nothing is said; the company's own line to Kamailio is no call from it."""
    ear = CarrierEar()

    def heard(channel: str, leg: str) -> list[str]:
        message = {"Event": "Newchannel", "Uniqueid": leg, "Context": "from-company", "Channel": channel}
        return [fact.pbx for fact in ear.hear({**message, "Exten": "08011300000", "Timestamp": "1.0"})]

    assert heard("PJSIP/pbx-2-0000000a", "1.1") == ["pbx-2"]
    assert heard("PJSIP/pbx-0000000b", "1.2") == [""]
    assert heard("PJSIP/pbx-00000012", "caller-1") == []
    fact = Fact(1.5, Kind.TALK, NUMBER, pbx="pbx-2")
    assert from_line(as_line(fact)) == fact


def test_an_asterisk_that_is_gone_ends_its_own_calls_and_no_others() -> None:
    """Nor does it excuse a talk at the other one that ended in the same moment."""
    facts = [*talk(NUMBER, "pbx-1", began_s=100), *talk(OTHER, "pbx-2", began_s=100, agent="agent-2")]
    facts.append(Fact(110, Kind.PBX_GONE, pbx="pbx-1"))
    assert [leg.ended_s for leg in legs_of(facts)] == [110, INFINITE]
    cut_off = [
        Fact(110.1, Kind.TALK_OVER, OTHER, agent="agent-2", pbx="pbx-2"),
        Fact(110.2, Kind.ENDED, OTHER, "pbx-2-100", by=By.COMPANY),
    ]
    assert faults([*facts, *cut_off], Rules()) == [Fault.DROPPED]
    both = [*facts, Fact(110, Kind.PBX_GONE, pbx="pbx-2")]
    assert faults([*both, *cut_off], Rules()) == []


def test_how_many_calls_at_a_time_and_in_a_second_is_counted_for_each_asterisk() -> None:
    """Each has its own circuits; the third call of one is one too many all the same."""
    rules = Rules(max_concurrent=2, max_per_s=2)
    four = [
        fact for place in range(4) for fact in talk(f"+81801130000{place}", f"pbx-{place % 2}", began_s=100 + place)
    ]
    assert faults(four, rules) == []
    assert faults([*four, *talk("+818011300009", "pbx-1", began_s=110)], rules) == [Fault.OVER_CAP]
    burst = [Fact(200.1, Kind.INVITE, NUMBER, "x", pbx="pbx-0"), Fact(200.1, Kind.ENDED, NUMBER, "x", by=By.FAR_END)]
    rush = [fact for place in range(3) for fact in (Fact(200 + place / 10, Kind.INVITE, OTHER, f"{place}"),)]
    assert Fault.OVER_CAP not in faults(burst, Rules(max_per_s=1))
    assert Fault.OVER_CAP in faults([*burst, *rush], Rules(max_per_s=1))


def test_two_calls_to_one_number_by_two_asterisks_are_two_calls_at_a_time() -> None:
    """What a number is spared does not depend on who dials it."""
    facts = [*talk(NUMBER, "pbx-1", began_s=100), Fact(101, Kind.INVITE, NUMBER, "again", pbx="pbx-2")]
    assert Fault.DUPLICATED in faults(facts, Rules())


async def test_a_request_at_the_front_goes_to_whichever_controller_listens() -> None:
    """To the first; to the next when that is gone; and where none is, the line is cut."""

    async def serve(name: str) -> asyncio.Server:
        async def hand_out(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(name.encode() + await reader.readexactly(3))
            writer.close()

        return await asyncio.start_server(hand_out, "127.0.0.1", 0)

    async def asks(port: int) -> str:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"you")
        said = await reader.read()
        writer.close()
        return said.decode()

    one, two = await serve("one "), await serve("two ")
    port = free_port()
    async with one_front(port, [server.sockets[0].getsockname()[1] for server in (one, two)]):
        assert await asks(port) == "one you"
        one.close()
        assert await asks(port) == "two you"
        two.close()
        assert await asks(port) == ""

"""The dialplan on a real Asterisk with real phones, mostly while the controller is away."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from controller.provision import Site
from lab import audio
from lab.pbx import Asterisk, running_pair
from lab.phone import Answer, CallRefused, Ignore, Phone, PhoneShelf, RegistrationRefused
from lab.rootfolder import root_folder
from tests.asterisk.plain_ari import PlainAri, plain_ari

LONGEST_SILENCE_S = 2.0


@dataclass(frozen=True)
class Lab:
    """A PBX, a network, two customers and an agent, all registered; no controller."""

    site: Site
    pbx: Asterisk
    carrier: Asterisk
    ari: PlainAri
    shelf: PhoneShelf
    customer: Phone
    agent: Phone


@pytest.fixture(scope="module")
async def lab(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    """Start everything once for all tests of this file."""
    home = tmp_path_factory.mktemp("site")
    async with (
        running_pair(home, agents=1, customers=3) as (site, pbx, carrier),
        PhoneShelf() as shelf,
        plain_ari(site) as ari,
    ):
        line, desk = site.customers[0], site.agents[0]
        customer = await shelf.add(line.user, line.password, site.host, site.ports.carrier_sip)
        agent = await shelf.add(desk.user, desk.password, site.host, site.ports.sip)
        await asyncio.gather(customer.register(), agent.register())
        yield Lab(site, pbx, carrier, ari, shelf, customer, agent)


@pytest.fixture(autouse=True)
async def clean(lab: Lab) -> AsyncIterator[None]:
    """Leave no channel to the next test, and phones that only ring."""
    lab.agent.when_rung = lab.customer.when_rung = Ignore()
    yield
    for channel in await lab.ari.get("channels"):
        await lab.ari.hang_up(channel["id"])


def spoken(name: str) -> audio.Samples:
    """Return the end of a prompt: its beginning may fall into the recorder's catching up after the music."""
    path = root_folder() / "usr/share/asterisk/sounds/ja/orikaeshi" / f"{name}.wav"
    samples = audio.read_wav(path)
    return samples[-4 * audio.RATE_HZ :]


async def test_neither_asterisk_complains_at_its_start(tmp_path: Path) -> None:
    """An admin who reads the log finds nothing to wonder about."""
    async with running_pair(tmp_path) as (_, pbx, carrier):
        assert pbx.complaints + carrier.complaints == []


async def test_a_caller_who_meets_no_controller_hears_music_then_an_apology_then_an_agent(lab: Lab) -> None:
    """Invariant 11: no silence over 2 s, and nobody is stuck."""
    lab.agent.when_rung = Answer(tone_hz=880)
    call = await lab.customer.dial(lab.site.service_number, timeout_s=60)
    await call.answered()
    apology = await call.heard.until_prompt(spoken("apology"), timeout_s=30)
    desk = await lab.agent.rings(timeout_s=10)
    agent_at = await call.heard.until_tone(880)
    call.talk(440)
    await desk.heard.until_tone(440)
    assert audio.looks_like_music(call.heard.slice(0.5, 9.5))
    assert 10 < apology.at_s < agent_at
    assert call.heard.longest_silence_s(0, agent_at) < LONGEST_SILENCE_S
    await desk.hang_up()
    await call.ended


async def test_a_controller_that_comes_back_gets_the_caller_who_hears_music(lab: Lab) -> None:
    """Within the two seconds of one round, with the time of the first arrival."""
    call = await lab.customer.dial(lab.site.service_number, timeout_s=60)
    await call.answered()
    await call.heard.until_sound()
    async with lab.ari.listening() as events:
        start = await events.next("StasisStart", timeout_s=4)
        shown = start["channel"]["channelvars"]
        assert start["args"] == ["inbound", lab.site.service_number]
        assert shown["ORI_ROLE"] == "caller"
        assert shown["ORI_DIALLED"] == lab.site.service_number
        arrived_ms, entered_ms = int(shown["ORI_ARRIVED_MS"]), _epoch_ms(start["timestamp"])
        assert 0 < entered_ms - arrived_ms < 10_000


async def test_the_callers_number_is_shown_unless_it_is_withheld(lab: Lab) -> None:
    """184 before the number withholds it; what arrives is empty, not "anonymous"."""
    async with lab.ari.listening() as events:
        for prefix, number in (("", lab.customer.user), ("186", lab.customer.user), ("184", "")):
            call = await lab.customer.dial(prefix + lab.site.service_number, timeout_s=20)
            start = await events.next("StasisStart")
            assert start["channel"]["caller"] == {"name": "", "number": number}
            await lab.ari.hang_up(start["channel"]["id"])
            await call.ended


async def test_a_controller_that_lets_a_call_go_ends_it(lab: Lab) -> None:
    """A call that was served must not fall into the fallback queue."""
    call = await lab.customer.dial(lab.site.service_number, timeout_s=20)
    async with lab.ari.listening() as events:
        start = await events.next("StasisStart")
        channel_id = start["channel"]["id"]
        await lab.ari.post(f"channels/{channel_id}/answer")
        await call.answered()
        await lab.ari.post(f"channels/{channel_id}/continue")
        async with asyncio.timeout(5):
            assert (await call.ended).by == "there"


async def test_a_call_that_the_controller_cannot_serve_is_sent_to_the_fallback_queue(lab: Lab) -> None:
    """By `continue` into orikaeshi-fallback: apology, music, an agent."""
    lab.agent.when_rung = Answer(tone_hz=880)
    call = await lab.customer.dial(lab.site.service_number, timeout_s=20)
    async with lab.ari.listening() as events:
        start = await events.next("StasisStart")
        await lab.ari.post(
            f"channels/{start['channel']['id']}/continue",
            context="orikaeshi-fallback",
            extension="s",
            priority="1",
        )
        await call.answered()
        await call.heard.until_prompt(spoken("apology"), timeout_s=20)
        await call.heard.until_tone(880)
    await (await lab.agent.rings()).hang_up()
    await call.ended


@pytest.mark.parametrize(
    ("name", "number", "kept_name", "kept_number"),
    [
        ('Bob"; ${SHELL(id)}', "0312340001", "Bob SHELLid", "0312340001"),
        ("a,b&c/d@e;f$g{h}i", "+81,90&1234@x", "abcdefghi", "+81901234"),
        ("\x01\x1b[2J\x7fO'Neil Jr.", "090)(1234$[1+1]", "2JO'Neil Jr.", "090123411"),
        ("漢字 A_b-1", "9+9+9", "A_b-1", "999"),
        ("n" * 90, "1" * 90, "n" * 40, "1" * 20),
        ("", "", "", ""),
    ],
)
async def test_text_from_strangers_is_cut_down_to_harmless_letters(
    lab: Lab, name: str, number: str, kept_name: str, kept_number: str
) -> None:
    """Invariant 18: exact equality of what the controller is shown."""
    async with lab.ari.listening() as events:
        # Ids of their own: those of the test before may still be hanging up.
        near, far = secrets.token_hex(4), secrets.token_hex(4)
        # The far end of a Local channel takes for its caller whom the near end is connected to.
        await lab.ari.post(
            "channels/create",
            {"variables": {"CONNECTEDLINE(name)": name, "CONNECTEDLINE(num)": number}},
            endpoint="Local/0312345678@from-trunk/n",
            app="orikaeshi",
            channelId=near,
            otherChannelId=far,
        )
        assert (await events.next("StasisStart"))["channel"]["id"] == near
        await lab.ari.post(f"channels/{near}/dial")
        start = await events.next("StasisStart")
        assert start["channel"]["id"] == far
        assert start["channel"]["caller"] == {"name": kept_name, "number": kept_number}


async def test_a_strange_dialled_number_reaches_the_controller_as_digits(lab: Lab) -> None:
    """Neither a comma nor a variable in it splits or feeds the Stasis arguments."""
    async with lab.ari.listening() as events:
        await lab.ari.post(
            "channels", endpoint="Local/+81,3${EXTEN}&12$[1+1]@from-trunk/n", app="orikaeshi", appArgs="near"
        )
        start = await events.next("StasisStart")
        assert start["args"] == ["inbound", "+8131211"]


async def test_an_agents_phone_can_dial_nothing_but_the_service_number(lab: Lab) -> None:
    """A stolen password must not telephone at the company's cost."""
    for number in ("09012340001", "+819012340001", "0312345679", "s", "orikaeshi-inbound"):
        call = await lab.agent.dial(number, timeout_s=10)
        with pytest.raises(CallRefused) as refusal:
            await call.answered()
        assert refusal.value.ending.status == 404
    async with lab.ari.listening() as events:
        call = await lab.agent.dial(lab.site.service_number, timeout_s=20)
        start = await events.next("StasisStart")
        assert start["channel"]["caller"]["number"] == ""
        await lab.ari.hang_up(start["channel"]["id"])
        await call.ended


@pytest.mark.parametrize("user", ["carrier", "agent-1", "pbx", "nobody", "09012340001"])
async def test_whoever_cannot_prove_an_account_is_refused(lab: Lab, user: str) -> None:
    """With names that exist and names that do not: the same refusal, no anonymous way in."""
    stranger = await lab.shelf.add(user, "not-the-password", lab.site.host, lab.site.ports.sip)
    call = await stranger.dial(lab.site.service_number, timeout_s=10)
    with pytest.raises(CallRefused) as refusal:
        await call.answered()
    assert refusal.value.ending.status in {401, 403}
    with pytest.raises(RegistrationRefused):
        await stranger.register()


async def test_an_agents_leg_hears_music_until_the_controller_is_back(lab: Lab) -> None:
    """The agent answered while the controller was away; ORI_CALL tells it what for."""
    lab.agent.when_rung = Answer()
    await lab.ari.leg("PJSIP/agent-1", "orikaeshi-agent", ORI_CALL="call-7", ORI_ROLE="agent")
    desk = await lab.agent.rings(timeout_s=10)
    await desk.answered()
    await desk.heard.until_sound()
    async with lab.ari.listening() as events:
        start = await events.next("StasisStart", timeout_s=4)
    assert start["args"] == ["agent", "call-7"]
    assert start["channel"]["channelvars"]["ORI_CALL"] == "call-7"
    assert desk.heard.longest_silence_s() < LONGEST_SILENCE_S


async def test_a_number_outside_hears_music_until_the_controller_is_back(lab: Lab) -> None:
    """The answering service picked up while the controller was away; ORI_CALL names the caller."""
    lab.customer.when_rung = Answer()
    await lab.ari.leg(f"PJSIP/{lab.customer.user}@carrier", "orikaeshi-external", ORI_CALL="call-8")
    outside = await lab.customer.rings(timeout_s=10)
    await outside.answered()
    await outside.heard.until_sound()
    async with lab.ari.listening() as events:
        start = await events.next("StasisStart", timeout_s=4)
    assert start["args"] == ["external", "call-8"]
    assert outside.heard.longest_silence_s() < LONGEST_SILENCE_S


async def test_a_customers_leg_is_asked_to_wait_until_the_controller_is_back(lab: Lab) -> None:
    """Somebody who was called back and answers is spoken to at once, and not forgotten."""
    lab.customer.when_rung = Answer()
    await lab.ari.leg(f"PJSIP/{lab.customer.user}@carrier", "orikaeshi-customer", ORI_ATTEMPT="attempt-9")
    phone = await lab.customer.rings(timeout_s=10)
    assert phone.caller_id.number == "0312345678"
    await phone.answered()
    await phone.heard.until_prompt(spoken("please-wait"), timeout_s=15)
    async with lab.ari.listening() as events:
        start = await events.next("StasisStart", timeout_s=6)
    assert start["args"] == ["customer", "attempt-9"]
    assert phone.heard.longest_silence_s() < LONGEST_SILENCE_S


@pytest.mark.parametrize(
    ("number", "cause", "status"),
    [
        ("0312340000", 1, 404),  # nobody has this number
        ("+12025550123", 1, 404),  # a country that the network does not serve
        ("09012340003", 19, 480),  # a line whose phone is switched off
    ],
)
async def test_the_network_says_why_a_customer_cannot_be_reached(
    lab: Lab, number: str, cause: int, status: int
) -> None:
    """The causes that the dialer's decisions stand on."""
    async with lab.ari.listening() as events:
        await lab.ari.post("applications/orikaeshi/subscription", eventSource="endpoint:PJSIP/carrier")
        await lab.ari.leg(f"PJSIP/{number}@carrier", "orikaeshi-customer")
        gone = await events.next("ChannelDestroyed")
    assert (gone["cause"], gone["tech_cause"]) == (cause, status)


def _epoch_ms(text: str) -> int:
    """Epoch milliseconds of a time as ARI writes it (2026-01-31T23:59:59.123+0000)."""
    from datetime import datetime  # noqa: PLC0415  parsing alone; nobody asks for the time here

    return int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").timestamp() * 1000)

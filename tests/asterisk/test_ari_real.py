"""The ARI client against a real Asterisk: what it does on the wire, and how it survives losing it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from controller.asterisk.ari.errors import (
    AriConflict,
    AriNotFound,
    AriReplaced,
    AriUnanswered,
    AriUnauthorized,
    AriUnprocessable,
)
from controller.asterisk.ari.events import (
    ChannelDestroyed,
    ChannelDtmfReceived,
    ChannelEnteredBridge,
    ChannelLeftBridge,
    Event,
    PlaybackFinished,
    PlaybackStarted,
    StasisEnd,
    StasisStart,
)
from lab.pbx import running_pair
from lab.phone import Answer, PhoneShelf
from tests.asterisk.ari_watching import APP, TRUNK, UNKNOWN, UNREACHABLE, Watched, watching

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from typing import TypeVar

    from controller.provision import Site
    from lab.pbx import Asterisk

    Kind = TypeVar("Kind", bound=Event)


@pytest.fixture(scope="module")
async def pair(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Site, Asterisk]]:
    """Run the PBX and its telephone network."""
    async with running_pair(tmp_path_factory.mktemp("ari")) as (site, pbx, _carrier):
        yield site, pbx


@pytest.fixture
async def site(pair: tuple[Site, Asterisk]) -> Site:
    """Return where things are."""
    return pair[0]


async def test_a_call_is_answered_hears_a_prompt_presses_a_key_and_is_hung_up(site: Site) -> None:
    """The least that a call is."""
    async with watching(site) as watched:
        far, ours = await watched.caller("far-1")
        await ours.answer()
        await watched.until(StasisStart, lambda said: said.channel.id == far.id)
        playback = await ours.play(["tone:ring"], playback_id="p-1")
        started = await watched.until(PlaybackStarted)
        assert (started.playback.id, started.playback.target_uri) == ("p-1", f"channel:{ours.id}")
        await far.send_dtmf("1")
        pressed = await watched.until(ChannelDtmfReceived)
        assert (pressed.digit, pressed.channel.id) == ("1", ours.id)
        await playback.stop()
        finished = await watched.until(PlaybackFinished)
        assert (finished.playback.id, finished.playback.state) == ("p-1", "done")
        await ours.set_channel_var("ORI_STAGE", "in_line")
        assert await ours.get_channel_var("ORI_STAGE") == "in_line"
        assert await ours.get_channel_var("NOT_SET") is None
        assert (await ours.get()).channelvars["ORI_STAGE"] == "in_line"
        await ours.hangup()
        await watched.until(StasisEnd, lambda said: said.channel.id == ours.id)
        with pytest.raises(AriNotFound, match="Channel not found"):
            await ours.answer()


async def test_a_channel_moves_between_bridges_and_stays_when_the_other_leaves(site: Site) -> None:
    """From the music to the conversation; the one who is left is still there."""
    async with watching(site) as watched:
        far, ours = await watched.caller("far-2")
        await ours.answer()
        await watched.until(StasisStart, lambda said: said.channel.id == far.id)
        holding = await watched.client.bridges.create_with_id("b-hold", kind="holding")
        mixing = await watched.client.bridges.create_with_id("b-mix")
        with pytest.raises(AriConflict):
            await watched.client.bridges.create_with_id("b-mix")
        await holding.start_moh()
        await holding.add_channel(ours.id)
        await mixing.add_channel(ours.id)
        await watched.until(ChannelLeftBridge, lambda said: said.bridge.id == "b-hold")
        await watched.until(ChannelEnteredBridge, lambda said: said.bridge.id == "b-mix")
        assert (await mixing.get()).channels == (ours.id,)
        with pytest.raises(AriUnprocessable):
            await holding.remove_channel(ours.id)
        with pytest.raises(AriNotFound):
            await mixing.add_channel("nobody")
        assert {bridge.id for bridge in await watched.client.bridges.list()} >= {"b-hold", "b-mix"}
        await mixing.destroy()
        assert (await ours.get()).state == "Up"
        await holding.destroy()


async def test_an_outbound_leg_into_the_dialplan_is_followed_to_its_end_and_heard_once(site: Site) -> None:
    """The endpoint is subscribed to; cause and SIP status come with ChannelDestroyed."""
    async with watching(site) as watched:
        subscribed = await watched.client.applications.subscribe(APP, TRUNK)
        assert subscribed.endpoint_ids == ("PJSIP/carrier",)
        for name, number, end in (("att-1", UNKNOWN, (1, 404)), ("att-2", UNREACHABLE, (19, 480))):
            await watched.client.channels.originate(
                f"PJSIP/{number}@carrier",
                channel_id=name,
                timeout_s=20,
                context="orikaeshi-customer",
                extension="s",
                variables={"ORI_ATTEMPT": name},
            )
            gone = await watched.until(ChannelDestroyed, _of(name))
            assert (gone.cause, gone.tech_cause) == end
            assert gone.channel.channelvars["ORI_ATTEMPT"] == name
        await watched.client.applications.unsubscribe(APP, TRUNK)


async def test_a_key_is_heard_once_though_both_channel_and_endpoint_are_subscribed(site: Site) -> None:
    """Asterisk sends it twice then, and everything else about a channel in the application, too."""
    line = site.customers[0]
    async with watching(site) as watched, PhoneShelf() as shelf:
        phone = await shelf.add(line.user, line.password, site.host, site.ports.carrier_sip)
        await phone.register()
        phone.when_rung = Answer()
        await watched.client.applications.subscribe(APP, TRUNK)
        placed = asyncio.create_task(phone.rings(timeout_s=15))
        await watched.client.channels.originate(
            f"PJSIP/{line.user}@carrier", channel_id="att-3", timeout_s=20, context="orikaeshi-customer", extension="s"
        )
        call = await placed
        await watched.until(StasisStart)
        await call.press("12")
        await watched.until(ChannelDtmfReceived, _is_two)
        await watched.client.channels.named("att-3").hangup()
        await watched.until(ChannelDestroyed)
        await watched.client.asterisk.ping()
        assert [said.digit for said in watched.heard if isinstance(said, ChannelDtmfReceived)] == ["1", "2"]
        assert sum(isinstance(said, ChannelDestroyed) for said in watched.heard) == 1
        assert watched.client.frames.repeated >= 2
        await watched.client.applications.unsubscribe(APP, TRUNK)


def _of(channel_id: str) -> Callable[[ChannelDestroyed], bool]:
    return lambda said: said.channel.id == channel_id


def _is_two(said: ChannelDtmfReceived) -> bool:
    return said.digit == "2"


async def test_the_id_of_a_living_channel_is_refused(site: Site) -> None:
    """What keeps one attempt from being dialled twice at the same time."""
    async with watching(site) as watched:
        await watched.caller("far-4")
        with pytest.raises(AriConflict, match="unique ID already exists"):
            await watched.client.channels.originate(
                "Local/s@orikaeshi-inbound/n", channel_id="far-4", timeout_s=20, app=APP
            )


async def test_sixty_four_requests_in_flight_are_all_answered(site: Site) -> None:
    """Over one socket."""
    async with watching(site) as watched:
        ping = watched.client.asterisk.ping
        await asyncio.gather(*(ping() for _ in range(64)))


async def test_a_wrong_password_is_told_from_a_pbx_that_is_away(site: Site) -> None:
    """At once, by name."""
    watched = Watched(site, "not-the-password")
    with pytest.raises(AriUnauthorized):
        await watched.client.run()


async def test_a_second_controller_under_the_same_name_ends_the_first(site: Site) -> None:
    """The one that comes later has the calls."""
    async with watching(site) as first, watching(site) as second:
        assert first.running is not None
        with pytest.raises(AriReplaced):
            await first.running
        await second.client.asterisk.ping()


async def test_calls_outlive_the_socket_and_are_found_again(site: Site) -> None:
    """The client is gone without a goodbye; the next one finds the channel by its list."""
    async with watching(site) as first:
        far, ours = await first.caller("far-6")
        await ours.answer()
        # Answered into an application that is away, the far end would be dropped: let it come in first.
        await first.until(StasisStart, lambda said: said.channel.id == far.id)
        assert first.running is not None
        first.running.cancel()
        await asyncio.gather(first.running, return_exceptions=True)
        async with watching(site) as second:
            found = {channel.id: channel for channel in await second.client.channels.list()}
            assert found[ours.id].state == "Up"
            await second.client.channels.named(ours.id).hangup()


async def test_a_killed_asterisk_is_noticed_and_the_new_one_found(pair: tuple[Site, Asterisk]) -> None:
    """What was in flight fails at once; the start time tells that every channel is gone."""
    site, pbx = pair
    async with watching(site) as watched:
        await watched.caller("far-7")
        before = watched.client.started_at
        await pbx.kill9()
        with pytest.raises(AriUnanswered):
            await watched.client.asterisk.ping()
        assert not watched.client.connected
        await pbx.start()
        await watched.until_up(2)
        assert watched.client.started_at != before
        assert await watched.client.channels.list() == []

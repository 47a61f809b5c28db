"""What lab.phone promises, held against a real Asterisk: the tests of the whole product stand on these phones."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lab import audio
from lab.phone import (
    Answer,
    Busy,
    CallOver,
    CallRefused,
    Ending,
    Ignore,
    NotHeard,
    NotRung,
    Phone,
    PhoneCall,
    PhoneShelf,
    RegistrationRefused,
    Side,
)
from tests.contract import phone_pbx
from tests.contract.phone_pbx import PhonePbx


@pytest.fixture(scope="module")
async def pbx(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PhonePbx]:
    """Run the small PBX, once for all tests here."""
    async with phone_pbx.phone_pbx(tmp_path_factory.mktemp("phone-pbx")) as running:
        yield running


@pytest.fixture(scope="module")
async def phones(pbx: PhonePbx) -> AsyncIterator[list[Phone]]:
    """Ten registered phones, 201 to 210."""
    async with PhoneShelf() as shelf:
        on_it = [await added(shelf, pbx, user) for user in phone_pbx.EXTENSIONS[:10]]
        await asyncio.gather(*(phone.register() for phone in on_it))
        yield on_it


@pytest.fixture
async def caller(phones: list[Phone]) -> AsyncIterator[Phone]:
    """Phone 201; what it still has on the line afterwards is hung up."""
    yield phones[0]
    await hung_up(phones)


@pytest.fixture
def callee(phones: list[Phone]) -> Phone:
    """Phone 202, as nobody has told it what to do."""
    phones[1].when_rung = Ignore()
    return phones[1]


async def added(shelf: PhoneShelf, pbx: PhonePbx, user: str, *, password: str = "", name: str = "") -> Phone:
    """Put an account of the PBX on a shelf, with its own password unless another is given."""
    return await shelf.add(user, password or pbx.passwords[user], "127.0.0.1", pbx.sip_port, display_name=name)


async def hung_up(phones: list[Phone]) -> None:
    """End every call of the phones and wait for it."""
    live = [call for phone in phones for call in phone.calls if call.ending is None]
    for call in live:
        await call.hang_up()
    for call in live:
        await call.ended


async def answered(phone: Phone, number: str) -> PhoneCall:
    """Call a number and wait for the answer."""
    call = await phone.dial(number, timeout_s=10)
    await call.answered()
    return call


async def test_the_right_password_registers_and_unregistering_takes_it_back(pbx: PhonePbx, phones: list[Phone]) -> None:
    """Seen at the PBX, not from the phone's own state."""
    phone = phones[9]
    assert f"Contact:  {phone.user}/sip:" in await pbx.asterisk.cli("pjsip show contacts")
    await phone.unregister()
    assert f"Contact:  {phone.user}/sip:" not in await pbx.asterisk.cli("pjsip show contacts")
    await phone.register()
    assert f"Contact:  {phone.user}/sip:" in await pbx.asterisk.cli("pjsip show contacts")


@pytest.mark.parametrize(
    ("user", "password", "status", "reason"),
    [("211", "wrong", 401, "Unauthorized"), (phone_pbx.WITHOUT_AOR, "", 403, "Forbidden")],
)
async def test_a_refused_registration_says_which_answer_came(
    pbx: PhonePbx, phones: list[Phone], user: str, password: str, status: int, reason: str
) -> None:
    """401 is a wrong password, 403 an account that has nowhere to register."""
    phone = await added(phones[0].shelf, pbx, user, password=password)
    with pytest.raises(RegistrationRefused) as refused:
        await phone.register()
    assert (refused.value.status, refused.value.reason) == (status, reason)


async def test_a_registrar_that_is_not_there_gives_no_status(phones: list[Phone]) -> None:
    """Port 9 (discard) has no listener."""
    phone = await phones[0].shelf.add("211", "any", "127.0.0.1", 9)
    with pytest.raises(RegistrationRefused) as refused:
        await phone.register(timeout_s=1)
    assert refused.value.status is None


async def test_an_answered_call_hears_the_tone_that_the_pbx_plays(caller: Phone) -> None:
    """And no other tone."""
    call = await answered(caller, phone_pbx.TONE)
    assert await call.heard.until_tone(phone_pbx.TONE_HZ) < 0.5
    with pytest.raises(NotHeard, match="880 Hz was not heard in 1 s"):
        await call.heard.until_tone(880, timeout_s=1)


@pytest.mark.parametrize(
    ("number", "status", "reason", "cause"),
    [(phone_pbx.BUSY, 486, "Busy Here", 17), (phone_pbx.UNKNOWN, 404, "Not Found", None)],
)
async def test_a_refused_call_says_which_answer_came(
    caller: Phone, number: str, status: int, reason: str, cause: int | None
) -> None:
    """The Q.850 cause comes along where the PBX sends a Reason header."""
    call = await caller.dial(number, timeout_s=10)
    with pytest.raises(CallRefused) as refused:
        await call.answered()
    assert refused.value.ending == Ending(Side.THERE, status, reason, cause)
    assert await call.ended == refused.value.ending


async def test_a_refusal_that_comes_while_the_loop_is_busy_is_not_lost(caller: Phone) -> None:
    """The 486 is in before dial() has returned: the loop is held up right after the INVITE by a real piece of work."""
    dialling = asyncio.create_task(caller.dial(phone_pbx.BUSY, timeout_s=10))
    # Runs after the task's first step (the INVITE) and before its second, and takes far longer than the 486.
    asyncio.get_running_loop().call_soon(subprocess.run, [sys.executable, "-c", "import asyncio"])
    call = await dialling
    assert call.ending is not None, "the loop was not held up long enough for this test to mean anything"
    with pytest.raises(CallRefused, match="486 Busy Here"):
        await call.answered()


async def test_a_call_that_nobody_answers_rings_out(caller: Phone, callee: Phone) -> None:
    """The caller's own timeout, as a CANCEL that the called phone sees."""
    call = await caller.dial(callee.user, timeout_s=1)
    ringing = await callee.rings()
    await call.ringing()
    with pytest.raises(CallRefused) as refused:
        await call.answered()
    assert refused.value.ending == Ending(Side.HERE, None, "nobody answered within 1 s")
    assert (await ringing.ended).by is Side.THERE


async def test_a_caller_who_gives_up_while_it_rings_cancels_the_call(caller: Phone, callee: Phone) -> None:
    """The ringing stops at the called phone; picking up then is too late."""
    call = await caller.dial(callee.user, timeout_s=30)
    ringing = await callee.rings()
    await call.hang_up()
    assert await call.ended == Ending(Side.HERE, None, "hung up")
    assert (await ringing.ended).by is Side.THERE
    with pytest.raises(CallOver):
        await ringing.answer()
    await ringing.hang_up()


async def test_hanging_up_in_mid_call_is_seen_by_both_sides(caller: Phone, callee: Phone) -> None:
    """Whoever does it: here the called one."""
    callee.when_rung = Answer()
    call = await answered(caller, callee.user)
    other = await callee.rings()
    await other.hang_up()
    assert await other.ended == Ending(Side.HERE, None, "hung up")
    assert (await call.ended).by is Side.THERE
    with pytest.raises(CallOver):
        await call.press("1")


async def test_a_hang_up_of_the_pbx_ends_the_call_there(caller: Phone) -> None:
    """And the recording stands still from then on, as long as the call was."""
    call = await answered(caller, phone_pbx.HANGS_UP)
    ending = await call.ended
    assert (ending.by, ending.status) == (Side.THERE, None)
    assert call.heard.finished
    assert call.heard.duration_s == pytest.approx(0.5, abs=0.2)


async def test_twenty_digits_arrive_exactly_both_ways(caller: Phone) -> None:
    """Asterisk reads them and presses what it has read."""
    call = await answered(caller, phone_pbx.DIGITS_ECHOED)
    await call.press("12334455667890*55501", gap_ms=60)
    assert await call.until_digits(20) == "12334455667890*55501"


async def test_digits_that_never_come_are_named(caller: Phone) -> None:
    """What did come stands in the message."""
    call = await answered(caller, phone_pbx.TONE)
    with pytest.raises(TimeoutError, match=r"0 of 4 digits came in 0\.2 s: ''"):
        await call.until_digits(4, timeout_s=0.2)


async def test_what_is_no_key_is_refused_before_anything_is_sent(caller: Phone) -> None:
    """A pause sign or a letter beyond D is a mistake of the script."""
    call = await answered(caller, phone_pbx.TONE)
    with pytest.raises(ValueError, match="DTMF"):
        await call.press("12,3")


async def test_two_phones_hear_each_other_until_they_hush(caller: Phone, callee: Phone) -> None:
    """Each the other's tone, and silence afterwards."""
    callee.when_rung = Answer(tone_hz=880)
    call = await answered(caller, callee.user)
    other = await callee.rings()
    call.talk(520)
    await asyncio.gather(call.heard.until_tone(880), other.heard.until_tone(520))
    call.hush()
    hushed_s = other.heard.duration_s
    assert await other.heard.until_silence(1.0, from_s=hushed_s) < hushed_s + 0.4
    assert audio.tone_share(call.heard.slice(call.heard.duration_s - 1), 880) > audio.TONE_SHARE


async def test_a_tone_goes_on_without_a_hole(caller: Phone, callee: Phone) -> None:
    """Three seconds through phone, PBX and phone: no silence and no click that would smear the tone."""
    callee.when_rung = Answer(tone_hz=880)
    call = await answered(caller, callee.user)
    await callee.rings()
    began_s = await call.heard.until_tone(880)
    with pytest.raises(NotHeard):
        await call.heard.until_silence(0.06, timeout_s=3, from_s=began_s)
    assert (audio.tone_shares(call.heard.slice(began_s), 880) > 0.95).mean() > 0.9


async def test_a_pause_of_the_dialplan_is_found_as_silence(caller: Phone) -> None:
    """Asterisk sends no RTP during Wait(2), and the time line shows 2 s all the same."""
    call = await answered(caller, phone_pbx.PAUSE)
    silent_s = await call.heard.until_silence(1.5)
    again_s = await call.heard.until_tone(phone_pbx.TONE_HZ, from_s=silent_s)
    assert silent_s == pytest.approx(1.0, abs=0.15)
    assert again_s == pytest.approx(3.0, abs=0.2)
    assert call.heard.longest_silence_s(0, again_s) == pytest.approx(2.0, abs=0.15)


async def test_a_prompt_is_recognised_and_placed(caller: Phone, pbx: PhonePbx, tmp_path: Path) -> None:
    """By its file; another prompt is not taken for it."""
    audio.write_wav(tmp_path / "prompt.wav", pbx.prompt)
    call = await answered(caller, phone_pbx.PROMPT_PLAYED)
    match = await call.heard.until_prompt(tmp_path / "prompt.wav")
    assert match.score > 0.95
    assert match.at_s == pytest.approx(0.5, abs=0.15)
    with pytest.raises(NotHeard, match="nearest score"):
        await call.heard.until_prompt(phone_pbx.chirps(420), timeout_s=1)


async def test_music_on_hold_looks_like_music_and_a_tone_does_not(caller: Phone) -> None:
    """The music that Debian ships."""
    held = await answered(caller, phone_pbx.MUSIC)
    began_s = await held.heard.until_sound()
    with pytest.raises(NotHeard):
        await held.heard.until_silence(3, timeout_s=4)
    assert audio.looks_like_music(held.heard.slice(began_s))
    other = await answered(caller, phone_pbx.TONE)
    await other.heard.until_tone(phone_pbx.TONE_HZ, from_s=1)
    assert not audio.looks_like_music(other.heard.slice())


async def test_sound_before_the_answer_is_heard(caller: Phone) -> None:
    """Early media (183), then a refusal."""
    call = await caller.dial(phone_pbx.EARLY_TONE, timeout_s=10)
    await call.heard.until_tone(phone_pbx.TONE_HZ)
    with pytest.raises(CallRefused, match="486"):
        await call.answered()


async def test_the_called_phone_shows_number_and_name(pbx: PhonePbx, phones: list[Phone], callee: Phone) -> None:
    """As the From header carries them, and the caller knows what it has sent."""
    named = await added(phones[0].shelf, pbx, "212", name="Hanako Y.")
    await named.dial(callee.user, timeout_s=5)
    ringing = await callee.rings()
    assert (ringing.caller_id.number, ringing.caller_id.name) == ("212", "Hanako Y.")
    assert named.calls[0].caller_id == ringing.caller_id
    await hung_up([named])


async def test_a_busy_phone_refuses_and_an_ignored_call_can_still_be_answered(caller: Phone, callee: Phone) -> None:
    """The policy is that of the moment at which it rings."""
    callee.when_rung = Busy()
    refused = await caller.dial(callee.user, timeout_s=10)
    with pytest.raises(CallRefused, match="486"):
        await refused.answered()
    assert (await (await callee.rings()).ended).by is Side.HERE
    callee.when_rung = Ignore()
    call = await caller.dial(callee.user, timeout_s=10)
    await (await callee.rings()).answer()
    await call.answered()


async def test_calls_that_came_before_they_were_asked_for_are_not_lost(caller: Phone, callee: Phone) -> None:
    """Two calls ring; both are handed out afterwards, and then no more."""
    for _ in range(2):
        await (await caller.dial(callee.user, timeout_s=10)).ringing()
    first, second = await callee.rings(), await callee.rings()
    assert first is not second
    assert [first, second] == callee.calls[-2:]
    with pytest.raises(NotRung, match=r"202 was not rung within 0\.1 s"):
        await callee.rings(timeout_s=0.1)


async def test_ten_calls_at_once_keep_their_sound_and_digits_apart(caller: Phone, phones: list[Phone]) -> None:
    """Five conversations with a tone of their own each way; then ten calls that press different digits."""
    pairs = list(zip(phones[:5], phones[5:], strict=True))
    for place, (_, called) in enumerate(pairs):
        called.when_rung = Answer(tone_hz=900 + 100 * place)
    calls = await asyncio.gather(*(answered(calling, called.user) for calling, called in pairs))
    others = [await called.rings() for _, called in pairs]
    for place, call in enumerate(calls):
        call.talk(350 + 100 * place)
    await asyncio.gather(*(call.heard.until_tone(900 + 100 * place) for place, call in enumerate(calls)))
    await asyncio.gather(*(other.heard.until_tone(350 + 100 * place) for place, other in enumerate(others)))
    await hung_up(phones)

    echoed = await asyncio.gather(*(answered(phone, phone_pbx.DIGITS_ECHOED) for phone in phones))
    keyed = [f"{place}123456789{place}98765432*" for place in range(10)]
    await asyncio.gather(*(call.press(keys) for call, keys in zip(echoed, keyed, strict=True)))
    assert await asyncio.gather(*(call.until_digits(20) for call in echoed)) == keyed
    assert caller in phones


async def test_a_display_name_that_would_break_the_header_is_refused(phones: list[Phone]) -> None:
    """A quotation mark would end the name and begin something else."""
    with pytest.raises(ValueError, match="display name"):
        await phones[0].shelf.add("212", "any", "127.0.0.1", 5060, display_name='Eve" <sip:boss@example>')


# Last in this file: it ends the shelf of the others, because there is one stack a process.
async def test_leaving_the_shelf_ends_calls_and_leaves_no_task_and_no_thread(
    phones: list[Phone], pbx: PhonePbx
) -> None:
    """The PBX has no channel and no contact of ours left, and another shelf can be opened afterwards."""
    await phones[0].shelf.close()
    tasks = asyncio.all_tasks()
    for _ in range(2):
        async with PhoneShelf() as shelf:
            phone = await added(shelf, pbx, "201")
            await phone.register()
            call = await answered(phone, phone_pbx.TONE)
            ringing = await phone.dial(phone_pbx.NEVER_ANSWERED, timeout_s=60)
            await ringing.ringing()
        assert (await call.ended).by is Side.HERE
        assert (await ringing.ended).by is Side.HERE
    assert asyncio.all_tasks() == tasks
    assert not [each.name for each in threading.enumerate() if each.name.startswith(("phone-", "baresip-"))]
    assert "0 active channels" in await pbx.asterisk.cli("core show channels")
    assert "No objects found" in await pbx.asterisk.cli("pjsip show contacts")

"""What the phones of lab.phone say, hear and press, held against a real Asterisk."""

import asyncio
from pathlib import Path

import pytest

from lab import audio
from lab.phone import Answer, CallRefused, NotHeard, Phone
from tests.contract.phones import small_pbx
from tests.contract.phones.hands import answered, hung_up
from tests.contract.phones.small_pbx import PhonePbx


async def test_an_answered_call_hears_the_tone_that_the_pbx_plays(caller: Phone) -> None:
    """And no other tone."""
    call = await answered(caller, small_pbx.TONE)
    assert await call.heard.until_tone(small_pbx.TONE_HZ) < 0.5
    with pytest.raises(NotHeard, match="880 Hz was not heard in 1 s"):
        await call.heard.until_tone(880, timeout_s=1)


async def test_twenty_digits_arrive_exactly_both_ways(caller: Phone) -> None:
    """Asterisk reads them and presses what it has read."""
    call = await answered(caller, small_pbx.DIGITS_ECHOED)
    await call.press("12334455667890*55501", gap_ms=60)
    assert await call.until_digits(20) == "12334455667890*55501"


async def test_digits_that_never_come_are_named(caller: Phone) -> None:
    """What did come stands in the message."""
    call = await answered(caller, small_pbx.TONE)
    with pytest.raises(TimeoutError, match=r"0 of 4 digits came in 0\.2 s: ''"):
        await call.until_digits(4, timeout_s=0.2)


async def test_what_is_no_key_is_refused_before_anything_is_sent(caller: Phone) -> None:
    """A pause sign or a letter beyond D is a mistake of the script."""
    call = await answered(caller, small_pbx.TONE)
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
    call = await answered(caller, small_pbx.PAUSE)
    silent_s = await call.heard.until_silence(1.5)
    again_s = await call.heard.until_tone(small_pbx.TONE_HZ, from_s=silent_s)
    assert silent_s == pytest.approx(1.0, abs=0.15)
    assert again_s == pytest.approx(3.0, abs=0.2)
    assert call.heard.longest_silence_s(0, again_s) == pytest.approx(2.0, abs=0.15)


async def test_a_prompt_is_recognised_and_placed(caller: Phone, pbx: PhonePbx, tmp_path: Path) -> None:
    """By its file; another prompt is not taken for it."""
    audio.write_wav(tmp_path / "prompt.wav", pbx.prompt)
    call = await answered(caller, small_pbx.PROMPT_PLAYED)
    match = await call.heard.until_prompt(tmp_path / "prompt.wav")
    assert match.score > 0.95
    assert match.at_s == pytest.approx(0.5, abs=0.15)
    with pytest.raises(NotHeard, match="nearest score"):
        await call.heard.until_prompt(pbx.prompt[::-1].copy(), timeout_s=1)


async def test_silence_is_found_while_no_packet_comes_any_more(caller: Phone) -> None:
    """Nothing is sent after the prompt for the rest of the call: the clock alone says that it is silent."""
    call = await answered(caller, small_pbx.PROMPT_PLAYED)
    spoken_s = (await call.heard.until_prompt(small_pbx.chirps(300))).at_s + 1.5
    assert await call.heard.until_silence(1.0, from_s=spoken_s, timeout_s=5) == pytest.approx(spoken_s, abs=0.1)


async def test_music_on_hold_looks_like_music_and_a_tone_does_not(caller: Phone) -> None:
    """The music that Debian ships."""
    held = await answered(caller, small_pbx.MUSIC)
    began_s = await held.heard.until_sound()
    with pytest.raises(NotHeard):
        await held.heard.until_silence(3, timeout_s=4)
    assert audio.looks_like_music(held.heard.slice(began_s))
    other = await answered(caller, small_pbx.TONE)
    await other.heard.until_tone(small_pbx.TONE_HZ, from_s=1)
    assert not audio.looks_like_music(other.heard.slice())


async def test_sound_before_the_answer_is_heard(caller: Phone) -> None:
    """Early media (183), then a refusal."""
    call = await caller.dial(small_pbx.EARLY_TONE, timeout_s=10)
    await call.heard.until_tone(small_pbx.TONE_HZ)
    with pytest.raises(CallRefused, match="486"):
        await call.answered()


@pytest.mark.usefixtures("caller")  # it hangs up afterwards
async def test_ten_calls_at_once_keep_their_sound_and_digits_apart(phones: list[Phone]) -> None:
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

    echoed = await asyncio.gather(*(answered(phone, small_pbx.DIGITS_ECHOED) for phone in phones))
    keyed = [f"{place}19*{place}" for place in range(10)]
    await asyncio.gather(*(call.press(f"{keys}#") for call, keys in zip(echoed, keyed, strict=True)))
    assert await asyncio.gather(*(call.until_digits(5) for call in echoed)) == keyed

"""Registration and signalling of lab.phone, held against a real Asterisk."""

import asyncio
import subprocess
import sys

import pytest

from lab.phone import Answer, Busy, CallOver, CallRefused, Ending, Ignore, NotRung, Phone, RegistrationRefused, Side
from tests.contract.phones import small_pbx
from tests.contract.phones.hands import added, answered, hung_up
from tests.contract.phones.small_pbx import PhonePbx


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
    [("211", "wrong", 401, "Unauthorized"), (small_pbx.WITHOUT_AOR, "", 403, "Forbidden")],
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


@pytest.mark.parametrize(
    ("number", "status", "reason", "cause"),
    [(small_pbx.BUSY, 486, "Busy Here", 17), (small_pbx.UNKNOWN, 404, "Not Found", None)],
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
    dialling = asyncio.create_task(caller.dial(small_pbx.BUSY, timeout_s=10))
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
    call = await answered(caller, small_pbx.HANGS_UP)
    ending = await call.ended
    assert (ending.by, ending.status) == (Side.THERE, None)
    assert call.heard.finished
    assert call.heard.duration_s == pytest.approx(0.5, abs=0.2)


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


async def test_a_display_name_that_would_break_the_header_is_refused(phones: list[Phone]) -> None:
    """A quotation mark would end the name and begin something else."""
    with pytest.raises(ValueError, match="display name"):
        await phones[0].shelf.add("212", "any", "127.0.0.1", 5060, display_name='Eve" <sip:boss@example>')

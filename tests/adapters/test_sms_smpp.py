"""SMS by SMPP: what arrives at the centre, and what is said of what did not."""

from __future__ import annotations

import asyncio

import pytest

from controller.domain.sms import Delivery
from controller.ports.sms import Accepted, Receipt, Refused, Unclear
from controller.sms.segments import segments
from controller.sms.smpp_account import LongTexts, MessageIds
from lab.smsc.orders import Fault
from tests.adapters.smpp_link import LONG_JAPANESE, OUR_ADDRESS, THEIR_ADDRESS, linked

LATIN = "Sales: we called you back from 03-1234-5678 and could not reach you. [€] " * 4


async def test_a_short_text_is_one_submit_sm_with_sender_recipient_validity_and_a_receipt_asked_for() -> None:
    """Numbers are international, without plus; the reference is the centre's id."""
    async with linked() as link:
        assert await link.send("Hello {you}") == Accepted("1000")
        (one,) = link.centre.taken
    assert (one.sender, one.sender_ton, one.sender_npi) == (OUR_ADDRESS, 1, 1)
    assert (one.number, one.number_ton) == (THEIR_ADDRESS, 1)
    assert (one.data_coding, one.esm_class, one.registered_delivery) == (0, 0, 1)
    assert one.validity_period == "000000040000000R"
    assert one.text == "Hello {you}"


@pytest.mark.parametrize(
    ("sender", "address", "ton", "npi"),
    [
        ("+81 3 1234 5678", "81312345678", 1, 1),
        ("050-1234-5678", "815012345678", 1, 1),
        ("12345", "12345", 3, 0),
        ("Orikaeshi", "Orikaeshi", 5, 0),
    ],
)
async def test_a_sender_is_a_number_a_short_code_or_a_name(sender: str, address: str, ton: int, npi: int) -> None:
    """Each with the type and plan that says so."""
    async with linked() as link:
        await link.send("Hello", sender=sender)
        (one,) = link.centre.taken
    assert (one.sender, one.sender_ton, one.sender_npi) == (address, ton, npi)


@pytest.mark.parametrize("sender", ["営業部", "a name that is too long", "0", "+99"])
async def test_a_sender_that_cannot_be_shown_is_a_dead_letter(sender: str) -> None:
    """Nothing leaves."""
    async with linked() as link:
        result = await link.send("Hello", sender=sender)
        assert isinstance(result, Refused)
        assert result.retry_in_s is None
        assert link.centre.taken == []


@pytest.mark.parametrize(
    ("text", "data_coding"),
    [(LONG_JAPANESE, 8), (LATIN, 0), ("€" * 100, 0), ("𠮷" * 100, 8)],
    ids=["Japanese", "Latin", "two places each", "two units each"],
)
async def test_a_long_text_is_put_together_at_the_centre_as_it_was(text: str, data_coding: int) -> None:
    """In as many parts as it is paid for; only of the last a receipt is asked for, and it names the SMS."""
    async with linked() as link:
        result = await link.send(text)
        taken = link.centre.taken
        assert link.centre.texts == [(THEIR_ADDRESS, text)]
        assert [one.part for one in taken] == list(range(1, segments(text) + 1))
        assert len(taken) > 1
        assert {one.data_coding for one in taken} == {data_coding}
        assert [one.registered_delivery for one in taken] == [0] * (len(taken) - 1) + [1]
        assert all(len(one.octets) <= (134 if data_coding else 153) for one in taken)
        assert result == Accepted(taken[-1].message_id)


async def test_two_long_texts_to_one_person_have_references_of_their_own() -> None:
    """A phone would mix their parts otherwise; they may be under way together."""
    async with linked() as link:
        await asyncio.gather(link.send("A" * 400, key="a"), link.send("B" * 400, key="b"))
        assert sorted(link.centre.texts) == [(THEIR_ADDRESS, "A" * 400), (THEIR_ADDRESS, "B" * 400)]


async def test_a_long_text_goes_whole_in_the_payload_where_the_centre_wants_it_so() -> None:
    """By setting."""
    async with linked(long_texts=LongTexts.PAYLOAD) as link:
        await link.send(LONG_JAPANESE)
        await link.send("short")
        long, short = link.centre.taken
    assert (long.in_payload, long.of, long.text) == (True, 1, LONG_JAPANESE)
    assert (short.in_payload, short.text) == (False, "short")


async def test_a_busy_centre_is_tried_again_later_and_later_the_more_often_it_says_so() -> None:
    """Until it takes one."""
    async with linked() as link:
        link.centre.orders.faults.extend([Fault.THROTTLED, Fault.QUEUE_FULL, Fault.SYSTEM_ERROR])
        assert await link.send("Hello") == Refused("ESME_RTHROTTLED", 2)
        assert await link.send("Hello") == Refused("ESME_RMSGQFUL", 4)
        assert await link.send("Hello") == Refused("ESME_RSYSERR", 8)
        assert await link.send("Hello") == Accepted("1000")
        link.centre.orders.faults.append(Fault.THROTTLED)
        assert await link.send("Hello") == Refused("ESME_RTHROTTLED", 2)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault.NO_SUCH_NUMBER, "ESME_RINVDSTADR"),
        (Fault.OWN_STATUS, "0x00000455"),
        (Fault.NACKED, "ESME_RINVCMDLEN"),
    ],
)
async def test_what_is_refused_for_good_is_a_dead_letter_with_its_reason(fault: Fault, reason: str) -> None:
    """A status that no specification knows is shown as its number, and costs the connection nothing."""
    async with linked() as link:
        link.centre.orders.faults.append(fault)
        assert await link.send("Hello") == Refused(reason, None)
        assert await link.send("Hello") == Accepted("1000")


async def test_an_sms_that_gets_no_answer_may_have_been_sent() -> None:
    """It was, here; nobody sends it again."""
    async with linked() as link:
        link.centre.orders.faults.append(Fault.SILENT)
        sending = link.sending("Hello")
        await link.centre.arrived.get()
        await link.turned_once_sleeping(10)
        assert await sending == Unclear("no answer within 10 s")
        assert len(link.centre.taken) == 1


@pytest.mark.parametrize("text", ["Hello", "Hello" * 50])
async def test_an_answer_that_comes_too_late_settles_the_sms_by_its_key(text: str) -> None:
    """With the reference that its receipt will have."""
    async with linked() as link:
        link.centre.orders.faults.extend([Fault.SILENT] if len(text) < 160 else [Fault.RECEIPT_FIRST, Fault.SILENT])
        sending = link.sending(text, key="sms-7")
        await link.until_sleeping(10)
        for _ in range(segments(text)):
            one = await link.centre.arrived.get()
        link.clock.turn(10)
        assert isinstance(await sending, Unclear)
        link.centre.answer_late()
        while not isinstance(told := await link.book.came.get(), Receipt) or told.key is None:
            pass
        assert told == Receipt("smpp", "answer-sms-7", one.message_id, Delivery.ON_ITS_WAY, key="sms-7")


async def test_a_late_answer_is_kept_until_the_database_is_back() -> None:
    """The centre will not give it again."""
    async with linked() as link:
        link.centre.orders.faults.append(Fault.SILENT)
        sending = link.sending("Hello")
        await link.centre.arrived.get()
        await link.turned_once_sleeping(10)
        await sending
        link.book.is_away = True
        link.centre.answer_late()
        await link.until_sleeping(1)
        link.book.is_away = False
        link.clock.turn(1)
        assert isinstance(told := await link.book.came.get(), Receipt)
        assert (told.key, told.delivery) == ("k1", Delivery.ON_ITS_WAY)


async def test_a_connection_that_is_cut_after_the_centre_took_it_leaves_it_unclear() -> None:
    """The text is at the centre."""
    async with linked() as link:
        link.centre.orders.faults.append(Fault.TAKEN_THEN_CUT)
        assert await link.send("Hello") == Unclear("the connection to the SMS centre was lost")
        assert len(link.centre.taken) == 1


async def test_without_a_session_nothing_is_sent_and_it_is_tried_later() -> None:
    """It says why."""
    async with linked(connects=False) as link:
        assert await link.send("Hello") == Refused("no session with the SMS centre: not connected yet", 30)


async def test_a_busy_centre_in_the_middle_of_a_text_is_asked_again_for_that_part() -> None:
    """The customer is not left with the beginning."""
    async with linked() as link:
        link.centre.orders.faults.extend([Fault.RECEIPT_FIRST, Fault.THROTTLED, Fault.THROTTLED])
        sending = link.sending("A" * 200)
        await link.turned_once_sleeping(2)
        await link.turned_once_sleeping(4)
        assert await sending == Accepted("1001")
        assert link.centre.texts == [(THEIR_ADDRESS, "A" * 200)]


async def test_a_text_goes_on_over_a_connection_that_was_lost_between_two_parts() -> None:
    """Nothing was on its way."""
    async with linked() as link:
        link.centre.orders.faults.extend([Fault.RECEIPT_FIRST, Fault.THROTTLED])
        sending = link.sending("A" * 200)
        await link.until_sleeping(2)
        link.centre.cut()
        await link.turned_once_sleeping(1)
        await link.bound()
        link.clock.turn(1)
        assert await sending == Accepted("1001")
        assert link.centre.texts == [(THEIR_ADDRESS, "A" * 200)]


async def test_a_text_whose_connection_stays_lost_between_two_parts_is_unclear() -> None:
    """It is not begun again."""
    async with linked(answer_timeout_s=9) as link:
        link.centre.orders.faults.extend([Fault.RECEIPT_FIRST, Fault.THROTTLED])
        sending = link.sending("A" * 200)
        await link.until_sleeping(2)
        await link.centre.kill()
        await link.until_sleeping(1)
        for pause_s in (2, 4, 8):
            link.clock.turn(pause_s)
            if pause_s != 8:
                await link.until_sleeping(pause_s * 2)
        result = await sending
        assert isinstance(result, Unclear)
        assert result.reason.startswith("part 2 of 2: no session with the SMS centre")


@pytest.mark.parametrize(
    ("faults", "reason"),
    [
        ([Fault.NO_SUCH_NUMBER], "part 2 of 2 was refused (ESME_RINVDSTADR), those before it were taken"),
        ([Fault.TAKEN_THEN_CUT], "part 2 of 2: the connection to the SMS centre was lost"),
    ],
)
async def test_a_text_of_which_only_a_part_was_taken_is_unclear(faults: list[Fault], reason: str) -> None:
    """Never sent again: the customer may have the beginning."""
    async with linked() as link:
        link.centre.orders.faults.extend([Fault.RECEIPT_FIRST, *faults])
        assert await link.send("A" * 200) == Unclear(reason)


async def test_a_part_that_stays_refused_ends_the_text_after_four_tries() -> None:
    """It does not go on for ever."""
    async with linked() as link:
        link.centre.orders.faults.extend([Fault.RECEIPT_FIRST] + [Fault.THROTTLED] * 4)
        sending = link.sending("A" * 200)
        for pause_s in (2, 4, 8):
            await link.turned_once_sleeping(pause_s)
        assert isinstance(await sending, Unclear)
        assert len(link.centre.taken) == 1


async def test_an_accepted_sms_whose_id_cannot_be_read_is_accepted() -> None:
    """Only its receipt will not be known."""
    async with linked() as link:
        link.centre.orders.faults.append(Fault.ODD_ID)
        assert await link.send("Hello") == Accepted("")
        assert await link.send("Hello") == Accepted("1001")


async def test_no_more_are_on_their_way_than_the_window_has_room_for() -> None:
    """The third leaves when one of the first two has its answer."""
    async with linked(window=2) as link:
        link.centre.orders.faults.extend([Fault.SILENT, Fault.SILENT])
        sending = [link.sending("Hello", key=f"k{number}") for number in range(3)]
        await link.centre.arrived.get()
        await link.centre.arrived.get()
        await link.centre.session.enquired()
        assert len(link.centre.taken) == 2
        link.centre.answer_late()
        results = await asyncio.gather(*sending)
        assert results == [Accepted("1000"), Accepted("1001"), Accepted("1002")]


@pytest.mark.parametrize(
    ("ids", "answer", "receipt", "reference"),
    [
        (MessageIds.SAME, "m-{:d}", "m-{:d}", "m-255"),
        (MessageIds.DECIMAL, "{:d}", "{:010d}", "255"),
        (MessageIds.HEX_THEN_DECIMAL, "{:08X}", "{:d}", "255"),
        (MessageIds.DECIMAL_THEN_HEX, "{:d}", "{:x}", "255"),
    ],
)
async def test_ids_are_compared_in_the_form_that_the_centre_writes_them(
    ids: MessageIds, answer: str, receipt: str, reference: str
) -> None:
    """Hexadecimal here and decimal there is one id."""
    async with linked(message_ids=ids) as link:
        link.centre.orders.id_format, link.centre.orders.receipt_id_format = answer, receipt
        link.centre.orders.first_id = 255
        link.centre.orders.receipt = "DELIVRD"
        assert await link.send("Hello") == Accepted(reference)
        told = await link.book.came.get()
    assert isinstance(told, Receipt)
    assert told.reference == reference

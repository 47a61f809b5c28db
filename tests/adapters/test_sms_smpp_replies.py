"""Replies by SMPP: a repeat is told from a second text, and long texts are put together, whatever happens between."""

from __future__ import annotations

import asyncio

import pytest

from controller.sms.smpp_replies import HOLD_S, JOIN_TURNS, MOST_JOINING
from lab.smsc import wire
from lab.smsc.orders import Fault
from tests.adapters.smpp_link import AGAIN, FULL, OK, OUR_ADDRESS, THEIR_ADDRESS, Link, linked

LONG = "明日の午後3時ごろにお電話ください。𠮷田" * 6
OCTETS, UCS_2 = wire.encoded(LONG)
PARTS = [OCTETS[at : at + 101] for at in range(0, len(OCTETS), 101)]
"""Cut without a thought for characters, as some phones do."""


async def wrote(link: Link, text: str) -> int:
    """Have somebody write a text, and the centre read what we answer and show that it did."""
    status = await link.centre.reply(THEIR_ADDRESS, OUR_ADDRESS, text)
    while await link.centre.heard.get() != "enquire_link":
        pass
    # Our own enquiry was answered before this one comes back to us.
    await link.centre.session.enquired()
    return status


async def test_a_text_that_the_centre_sends_again_since_our_answer_was_lost_is_one_reply() -> None:
    """It came twice, on two connections."""
    async with linked() as link:
        link.book.may_write.clear()
        lost = link.centre.reply(THEIR_ADDRESS, OUR_ADDRESS, "1")
        await link.centre.session.enquired()
        link.centre.cut()
        link.book.may_write.set()
        await link.turned_once_sleeping(1)
        await link.bound()
        assert lost.cancelled()
        assert await link.centre.reply(THEIR_ADDRESS, OUR_ADDRESS, "1") == OK
        assert link.book.texts == ["1"]


async def test_a_text_that_is_sent_again_before_our_answer_is_read_is_one_reply() -> None:
    """The centre was impatient."""
    async with linked() as link:
        answers = [link.centre.reply(THEIR_ADDRESS, OUR_ADDRESS, "1") for _ in range(3)]
        assert [await answer for answer in answers] == [OK, OK, OK]
        assert link.book.texts == ["1"]


async def test_an_answer_that_took_us_long_does_not_count_as_read() -> None:
    """The centre may have made up its mind to send the text again."""
    async with linked() as link:
        link.book.may_write.clear()
        slow = link.centre.reply(THEIR_ADDRESS, OUR_ADDRESS, "1")
        await link.centre.session.enquired()
        link.clock.turn(6)
        link.book.may_write.set()
        assert await slow == OK
        await link.until_sleeping(30)
        link.clock.turn(30)
        while await link.centre.heard.get() != "enquire_link":
            pass
        await link.centre.session.enquired()
        assert await link.centre.reply(THEIR_ADDRESS, OUR_ADDRESS, "1") == OK
        assert link.book.texts == ["1"]


async def test_an_answer_to_what_we_asked_before_proves_nothing() -> None:
    """The centre may have written it before it read that we have the text."""
    async with linked() as link:
        link.centre.orders.faults.append(Fault.SILENT)
        sending = link.sending("Hello")
        await link.centre.arrived.get()
        link.centre.orders.answers_nothing = True
        link.centre.reply(THEIR_ADDRESS, OUR_ADDRESS, "1")
        await link.book.came.get()
        link.centre.answer_late()
        await sending
        link.centre.reply(THEIR_ADDRESS, OUR_ADDRESS, "1")
        await link.book.came.get()
        assert link.book.texts == ["1"]


async def test_the_same_words_again_after_the_centre_has_read_our_answer_are_a_second_reply() -> None:
    """Somebody writes 1, cancels, and writes 1: all three count."""
    async with linked() as link:
        for text in ("1", "キャンセル", "1", "1"):
            assert await wrote(link, text) == OK
        assert link.book.texts == ["1", "キャンセル", "1", "1"]


async def test_the_same_words_ten_minutes_later_are_a_second_reply_in_any_case() -> None:
    """Even where the connection was lost between."""
    async with linked() as link:
        assert await link.centre.reply(THEIR_ADDRESS, OUR_ADDRESS, "1") == OK
        link.centre.cut()
        await link.turned_once_sleeping(1)
        await link.bound()
        link.clock.turn(601)
        assert await link.centre.reply(THEIR_ADDRESS, OUR_ADDRESS, "1") == OK
        assert link.book.texts == ["1", "1"]


async def test_a_repeat_is_known_by_a_controller_that_was_killed_between() -> None:
    """Its id depends on nothing but the text and the time."""
    async with linked() as first, linked() as second:
        for link in (first, second):
            assert await link.centre.reply(THEIR_ADDRESS, OUR_ADDRESS, "1") == OK
        assert first.book.replies == second.book.replies


async def test_two_people_who_write_the_same_are_two_replies() -> None:
    """And so is one who writes to two numbers of ours, or what the centre marks as two."""
    async with linked() as link:
        await link.centre.reply(THEIR_ADDRESS, OUR_ADDRESS, "1")
        await link.centre.reply("819087654321", OUR_ADDRESS, "1")
        await link.centre.reply(THEIR_ADDRESS, "815012345678", "1")
        await link.centre.reply(THEIR_ADDRESS, OUR_ADDRESS, "1", user_message_reference=2)
        assert link.book.texts == ["1"] * 4


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (2, 2, 3, 1)])
async def test_a_long_reply_is_put_together_in_whatever_order_its_parts_come(order: tuple[int, ...]) -> None:
    """Nothing is answered before the whole is written down."""
    async with linked() as link:
        assert len(PARTS) == 3
        answers: list[asyncio.Future[int]] = []
        for part in order:
            assert not any(answer.done() for answer in answers)
            answers.append(link.centre.part(THEIR_ADDRESS, OUR_ADDRESS, PARTS, part, UCS_2, 7))
            if part != order[-1]:
                await link.centre.session.enquired()
        assert {await answer for answer in answers} == {OK}
        assert link.book.texts == [LONG]


async def test_parts_are_known_by_the_centres_own_parameters_too() -> None:
    """sar_msg_ref_num and its like, instead of a header."""
    async with linked() as link:
        answers = [
            link.centre.reply(
                THEIR_ADDRESS,
                OUR_ADDRESS,
                "",
                short_message=octets,
                data_coding=UCS_2,
                sar_msg_ref_num=300,
                sar_total_segments=3,
                sar_segment_seqnum=number,
            )
            for number, octets in enumerate(PARTS, start=1)
        ]
        assert {await answer for answer in answers} == {OK}
        assert link.book.texts == [LONG]


async def test_a_header_with_a_reference_of_two_octets_and_others_beside_it_is_read() -> None:
    """A port, say, which is no part."""
    async with linked() as link:
        for number in (1, 2):
            header = bytes((0x04, 0x02, 0x00, 0x00, 0x08, 0x04, 0x01, 0x02, 2, number))
            octets = bytes((len(header),)) + header + b"ab"[number - 1 : number]
            last = link.centre.reply(
                THEIR_ADDRESS, OUR_ADDRESS, "", short_message=octets, data_coding=0, esm_class=wire.UDHI
            )
        assert await last == OK
        assert link.book.texts == ["ab"]


async def test_a_centre_that_waits_for_our_answer_to_each_part_gets_one() -> None:
    """After three seconds; it would wait for ever."""
    async with linked() as link:
        for part in (1, 2):
            answer = link.centre.part(THEIR_ADDRESS, OUR_ADDRESS, PARTS, part, UCS_2, 7)
            while not answer.done():
                await link.turned_once_sleeping(HOLD_S)
                await link.centre.session.enquired()
            assert answer.result() == OK
        assert await link.centre.part(THEIR_ADDRESS, OUR_ADDRESS, PARTS, 3, UCS_2, 7) == OK
        assert link.book.texts == [LONG]


async def test_a_long_reply_goes_on_over_a_lost_connection() -> None:
    """The centre sends again what it has no answer to."""
    async with linked() as link:
        link.centre.part(THEIR_ADDRESS, OUR_ADDRESS, PARTS, 1, UCS_2, 7)
        await link.centre.session.enquired()
        link.centre.cut()
        await link.turned_once_sleeping(1)
        await link.bound()
        answers = link.centre.reply_in_parts(THEIR_ADDRESS, OUR_ADDRESS, PARTS, UCS_2, 7)
        assert {await answer for answer in answers} == {OK}
        assert link.book.texts == [LONG]


async def test_a_part_of_a_text_that_we_have_is_not_the_beginning_of_another() -> None:
    """Our answer to it was lost; and two minutes later there is still one reply."""
    async with linked() as link:
        await asyncio.gather(*link.centre.reply_in_parts(THEIR_ADDRESS, OUR_ADDRESS, PARTS, UCS_2, 7))
        assert await link.centre.part(THEIR_ADDRESS, OUR_ADDRESS, PARTS, 2, UCS_2, 7) == OK
        assert link.book.texts == [LONG]
        assert link.book.calls == 1


async def test_a_long_reply_that_cannot_be_written_down_is_asked_for_again() -> None:
    """Every part of it, and it is one reply in the end."""
    async with linked() as link:
        link.book.is_away = True
        answers = link.centre.reply_in_parts(THEIR_ADDRESS, OUR_ADDRESS, PARTS, UCS_2, 7)
        assert {await answer for answer in answers} == {AGAIN}
        link.book.is_away = False
        answers = link.centre.reply_in_parts(THEIR_ADDRESS, OUR_ADDRESS, PARTS, UCS_2, 7)
        assert {await answer for answer in answers} == {OK}
        assert link.book.texts == [LONG]


async def test_a_reply_of_which_a_part_never_comes_is_handed_on_as_far_as_it_came() -> None:
    """After two minutes; a person can still make something of it."""
    async with linked() as link:
        octets = [part.encode("utf-16-be") for part in ("明日", "の", "午前")]
        link.centre.part(THEIR_ADDRESS, OUR_ADDRESS, octets, 1, UCS_2, 7)
        link.centre.part(THEIR_ADDRESS, OUR_ADDRESS, octets, 3, UCS_2, 7)
        turns = 0
        while link.book.came.empty():
            await link.turned_once_sleeping(HOLD_S)
            await link.centre.session.enquired()
            turns += 1
        assert turns >= JOIN_TURNS
        assert link.book.texts == ["明日午前"]


async def test_parts_without_end_are_left_with_the_centre() -> None:
    """A stranger who sends beginnings only fills nothing but their own bill."""
    async with linked() as link:
        answers = [
            link.centre.part(THEIR_ADDRESS, OUR_ADDRESS, PARTS, 1, UCS_2, reference)
            for reference in range(MOST_JOINING + 20)
        ]
        assert [await answer for answer in answers[MOST_JOINING:]] == [FULL] * 20
        assert not any(answer.done() for answer in answers[:MOST_JOINING])
        assert await link.centre.reply("819087654321", OUR_ADDRESS, "STOP") == OK


async def test_a_header_that_cannot_be_is_none() -> None:
    """Part 0 of 2, or 3 of 2: read as a text of its own."""
    async with linked() as link:
        for number in (0, 3):
            octets = bytes((5, 0, 3, 7, 2, number)) + b"STOP"
            status = await link.centre.reply(
                THEIR_ADDRESS, OUR_ADDRESS, "", short_message=octets, data_coding=0, esm_class=wire.UDHI
            )
            assert status == OK
        assert link.book.texts == ["STOP"]

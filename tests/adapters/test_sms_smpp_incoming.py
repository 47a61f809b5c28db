"""Receipts and replies by SMPP: written down before they are answered, once each, and told from one another."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from controller.domain.sms import Delivery
from controller.ports.sms import Accepted, IncomingSms, Receipt
from controller.sms.smpp_account import MessageIds
from lab.smsc import wire
from lab.smsc.orders import Fault
from tests.adapters.smpp_link import AGAIN, FULL, NUMBER, OK, OUR_ADDRESS, THEIR_ADDRESS, UNREADABLE, Link, linked


async def receipt_of(link: Link) -> Receipt:
    """Return the next receipt that was written down."""
    told = await link.book.came.get()
    assert isinstance(told, Receipt)
    return told


@pytest.mark.parametrize(
    ("state", "delivery", "error"),
    [
        ("DELIVRD", Delivery.DELIVERED, ""),
        ("ACCEPTD", Delivery.ON_ITS_WAY, ""),
        ("ENROUTE", Delivery.ON_ITS_WAY, ""),
        ("EXPIRED", Delivery.UNDELIVERED, "EXPIRED"),
        ("DELETED", Delivery.UNDELIVERED, "DELETED"),
        ("UNDELIV", Delivery.UNDELIVERED, "UNDELIV"),
        ("REJECTD", Delivery.UNDELIVERED, "REJECTD"),
    ],
)
@pytest.mark.parametrize("form", ["text", "marks", "both"])
async def test_a_receipt_is_read_from_its_text_or_its_marks(
    state: str, delivery: Delivery, error: str, form: str
) -> None:
    """Appendix B of the specification, and the optional parameters."""
    async with linked() as link:
        assert await link.send("Hello") == Accepted("1000")
        answered = link.centre.receipt(
            link.centre.taken[0], state, as_text=form != "marks", as_tlv=form != "text", esm_class=4
        )
        told = await receipt_of(link)
        assert await answered == OK
    assert (told.provider, told.reference, told.delivery) == ("smpp", "1000", delivery)
    assert told.error in {error, f"{error} 000".strip()} if error else told.error == ""


async def test_a_receipt_without_the_flag_is_one_by_its_marks() -> None:
    """A phone cannot set them."""
    async with linked() as link:
        await link.send("Hello")
        link.centre.receipt(link.centre.taken[0], "DELIVRD", as_tlv=True, esm_class=0)
        assert (await receipt_of(link)).delivery is Delivery.DELIVERED


async def test_what_only_reads_like_a_receipt_is_somebodys_text() -> None:
    """Anybody can write these words."""
    async with linked() as link:
        await link.send("Hello")
        forged = "id:1000 sub:001 dlvrd:001 submit date:2611221510 done date:2611221511 stat:DELIVRD err:000 text:"
        assert await link.centre.reply(THEIR_ADDRESS, OUR_ADDRESS, forged) == OK
        assert link.book.receipts == {}
        assert link.book.texts == [forged]


async def test_what_is_quoted_in_a_receipt_changes_nothing_in_it() -> None:
    """The beginning of our own text, which can have somebody's words in it."""
    async with linked() as link:
        link.centre.reply(THEIR_ADDRESS, OUR_ADDRESS, "id:1000 text:id:7 stat:DELIVRD err:9", esm_class=4)
        told = await receipt_of(link)
        assert (told.reference, told.delivery, told.error) == ("1000", Delivery.ON_ITS_WAY, "")


async def test_a_receipt_that_overtakes_the_answer_is_told_at_once_and_again_is_the_same() -> None:
    """The inbox keeps it until it knows the reference."""
    async with linked() as link:
        link.centre.orders.faults.append(Fault.RECEIPT_FIRST)
        assert await link.send("Hello") == Accepted("1000")
        first = await receipt_of(link)
        for _ in range(3):
            assert await link.centre.receipt(link.centre.taken[0], "DELIVRD") == OK
        assert list(link.book.receipts.values()) == [first]


async def test_receipts_in_the_wrong_order_are_receipts_of_their_own() -> None:
    """What they come to is not decided here."""
    async with linked() as link:
        await link.send("Hello")
        for state in ("DELIVRD", "ENROUTE"):
            assert await link.centre.receipt(link.centre.taken[0], state) == OK
        assert [told.delivery for told in link.book.receipts.values()] == [Delivery.DELIVERED, Delivery.ON_ITS_WAY]


async def test_a_receipt_is_answered_only_when_it_is_written_down() -> None:
    """Until then the centre keeps it, and everything else goes on."""
    async with linked() as link:
        link.book.may_write.clear()
        await link.send("Hello")
        answered = link.centre.receipt(link.centre.taken[0], "DELIVRD")
        assert await link.send("Hello again") == Accepted("1001")
        await link.centre.session.enquired()
        assert not answered.done()
        link.book.may_write.set()
        assert await answered == OK
        assert len(link.book.receipts) == 1


@pytest.mark.parametrize("trouble", ["is_away", "breaks"])
async def test_what_cannot_be_written_down_is_asked_for_again(trouble: str) -> None:
    """The database is away, or we have a mistake: nothing is lost by it."""
    async with linked() as link:
        await link.send("Hello")
        setattr(link.book, trouble, True)
        assert await link.centre.receipt(link.centre.taken[0], "DELIVRD") == AGAIN
        assert await link.centre.reply(THEIR_ADDRESS, OUR_ADDRESS, "STOP") == AGAIN
        setattr(link.book, trouble, False)
        assert await link.centre.receipt(link.centre.taken[0], "DELIVRD") == OK
        assert await link.centre.reply(THEIR_ADDRESS, OUR_ADDRESS, "STOP") == OK
        assert len(link.book.receipts) == 1
        assert link.book.texts == ["STOP"]


async def test_receipts_whose_ids_are_written_another_way_are_noticed_and_the_setting_named() -> None:
    """Once; every SMS would stay without a receipt otherwise, and nobody would know why."""
    async with linked() as link:
        link.centre.orders.id_format = "{:x}"
        link.centre.orders.receipt = "DELIVRD"
        with capture_logs() as logs:
            for _ in range(5):
                await link.send("Hello")
                await receipt_of(link)
    told = [line["to_do"] for line in logs if line["event"] == "smpp_receipts_not_matched"]
    assert told == [f'set message_ids = "{MessageIds.HEX_THEN_DECIMAL.value}"']


async def test_a_receipt_that_names_nothing_is_taken_and_said() -> None:
    """To have it again would help nobody."""
    async with linked() as link:
        with capture_logs() as logs:
            status = await link.centre.reply(THEIR_ADDRESS, OUR_ADDRESS, "stat:DELIVRD", esm_class=4)
        assert status == OK
        assert [line["event"] for line in logs] == ["smpp_receipt_unreadable"]
        assert link.book.calls == 0


@pytest.mark.parametrize("esm_class", [0x08, 0x10, 0x18])
async def test_a_phones_own_acknowledgement_is_no_reply(esm_class: int) -> None:
    """Nobody wrote it."""
    async with linked() as link:
        assert await link.centre.reply(THEIR_ADDRESS, OUR_ADDRESS, "STOP", esm_class=esm_class) == OK
        assert link.book.calls == 0


@pytest.mark.parametrize(
    ("address", "ton"),
    [
        (THEIR_ADDRESS, 1),
        (NUMBER, 1),
        (THEIR_ADDRESS, 0),
        ("09012345678", 0),
        ("09012345678", 2),
        ("9012345678", 2),
        (NUMBER, 0),
    ],
)
async def test_a_reply_comes_from_an_e164_number_however_the_centre_writes_it(address: str, ton: int) -> None:
    """With or without plus and country."""
    async with linked() as link:
        assert await link.centre.reply(address, OUR_ADDRESS, "明日の午前", ton=ton) == OK
        (reply,) = link.book.replies.values()
    assert reply == IncomingSms("smpp", reply.event_id, NUMBER, f"+{OUR_ADDRESS}", "明日の午前")
    assert len(reply.event_id) <= 80


async def test_a_national_number_is_not_taken_for_one_of_the_country_that_it_begins_like() -> None:
    """0463 is Hiratsuka, and +46 is Sweden."""
    async with linked() as link:
        assert await link.centre.reply("463123456", OUR_ADDRESS, "1", ton=2) == OK
        (reply,) = link.book.replies.values()
    assert reply.number == "+81463123456"


@pytest.mark.parametrize("code", ["12345", "Orikaeshi"])
async def test_a_reply_to_a_short_code_says_so(code: str) -> None:
    """It is no number of any country."""
    async with linked() as link:
        assert await link.centre.reply(THEIR_ADDRESS, code, "1") == OK
        (reply,) = link.book.replies.values()
    assert reply.to == code


@pytest.mark.parametrize(("address", "ton"), [("Bank", 5), ("815012345678", 5), ("110", 0), ("abc", 0), ("", 0)])
async def test_a_text_from_what_is_no_number_is_nobodys_reply(address: str, ton: int) -> None:
    """It could not be answered, nor would it mean any customer."""
    async with linked() as link:
        assert await link.centre.reply(address, OUR_ADDRESS, "STOP", ton=ton) == OK
        assert link.book.calls == 0


@pytest.mark.parametrize(
    ("octets", "data_coding", "text"),
    [
        (b"STOP", 1, "STOP"),
        ("é".encode("latin-1"), 3, "é"),
        ("停止".encode("utf-16-be"), 8, "停止"),
        ("停止".encode("utf-16-be"), 0x18, "停止"),
        ("停止".encode("shift_jis"), 9, "停止"),
        ("停止".encode("iso2022_jp"), 10, "停止"),
        ("停止".encode(), 4, "停止"),
        (b"STOP", 0xF1, "STOP"),
        (b"\x1b\x65 5", 0, "€ 5"),
        (b"STOP", 0x0B, "STOP"),
        (b"", 0, ""),
        ("停".encode("utf-16-be") + b"\x50", 8, "停�"),
    ],
)
async def test_a_reply_is_read_in_every_data_coding(octets: bytes, data_coding: int, text: str) -> None:
    """What cannot be read in it is replaced; an empty text is one too."""
    async with linked() as link:
        status = await link.centre.reply(THEIR_ADDRESS, OUR_ADDRESS, "", short_message=octets, data_coding=data_coding)
        assert status == OK
        assert link.book.texts == [text]


async def test_a_reply_in_the_payload_is_read() -> None:
    """Where the centre puts long ones there."""
    async with linked() as link:
        payload = wire.encoded("明日の午前" * 100)[0]
        status = await link.centre.reply(
            THEIR_ADDRESS, OUR_ADDRESS, "", short_message=None, data_coding=8, message_payload=payload
        )
        assert status == OK
        assert link.book.texts == ["明日の午前" * 100]


async def test_what_cannot_be_read_is_refused_for_good_and_the_next_is_taken() -> None:
    """A centre would send the same for ever, and nothing behind it."""
    async with linked() as link:
        broken = await link.centre.reply(THEIR_ADDRESS, OUR_ADDRESS, "x", esm_class=wire.UDHI, short_message=b"\x09x")
        assert broken == UNREADABLE
        assert await link.centre.reply(THEIR_ADDRESS, OUR_ADDRESS, "STOP") == OK
        assert link.book.texts == ["STOP"]


async def test_more_than_we_can_write_down_stays_with_the_centre() -> None:
    """Our memory is not its queue."""
    async with linked() as link:
        link.book.may_write.clear()
        answers = [link.centre.reply(THEIR_ADDRESS, OUR_ADDRESS, f"text {number}") for number in range(150)]
        await link.centre.session.enquired()
        refused = [answer for answer in answers if answer.done() and answer.result() == FULL]
        assert 40 <= len(refused) <= 50
        link.book.may_write.set()
        taken = [answer for answer in answers if answer not in refused]
        assert {await answer for answer in taken} == {OK}
        assert len(link.book.texts) == len(taken)

"""Texts as parts and back, and ids in two forms: rules without a connection."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from controller.sms.segments import segments
from controller.sms.smpp_account import MessageIds
from controller.sms.smpp_parts import decoded, opened, parts_of
from controller.sms.smpp_wire import UDHI, DeliverSm, WireError
from lab.smsc import wire

LATIN = "".join(wire.decoded(bytes([place]), 0) for place in range(128) if place != 0x1B) + "\f^{}\\[~]|€"
ANY_TEXT = st.one_of(
    st.text(st.sampled_from(LATIN), min_size=1, max_size=800),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=400),
    st.text(st.sampled_from("折り返し𠮷😀a[€"), min_size=1, max_size=400),
)


@given(ANY_TEXT, st.integers(0, 255))
def test_every_text_comes_out_at_the_centre_as_it_went_in(text: str, reference: int) -> None:
    """In as many parts as it is paid for, each of which can be read for itself, by the centre's own tables."""
    parts = parts_of(text, reference)
    assert len(parts) == segments(text)
    coding = 8 if parts[0].encoding == "ucs2" else 0
    headers = [part.octets[:6] if part.has_header else b"" for part in parts]
    if len(parts) > 1:
        assert headers == [bytes((5, 0, 3, reference, len(parts), number + 1)) for number in range(len(parts))]
    octets = [part.octets[len(header) :] for part, header in zip(parts, headers, strict=True)]
    assert [wire.decoded(each, coding) for each in octets] == [part.text for part in parts]
    assert "".join(part.text for part in parts) == text
    assert all(len(part.octets) <= (140 if coding else 160) for part in parts)


@given(ANY_TEXT)
def test_what_people_write_is_read_as_a_phone_encodes_it(text: str) -> None:
    """Also where it was cut in the middle of a character, once it is together again."""
    octets, coding = wire.encoded(text)
    assert decoded(octets, coding) == text


@given(st.binary(max_size=300), st.integers(0, 255), st.integers(0, 255))
def test_no_octets_in_no_data_coding_are_too_much_for_the_reader(octets: bytes, coding: int, esm_class: int) -> None:
    """It gives a text, or says that the header cannot be read."""
    message = DeliverSm(1, "819012345678", "8131", esm_class, coding, octets, {})
    try:
        part, rest = opened(message)
    except WireError:
        assert esm_class & UDHI
        return
    assert "\0" not in decoded(rest, coding)
    assert part is None or 1 <= part.number <= part.total <= 255


@given(st.integers(0, 2**64), st.integers(0, 20))
def test_an_id_is_the_same_in_both_of_its_forms(number: int, zeros: int) -> None:
    """Whatever zeros and capitals it is written with."""
    decimal, hexadecimal = f"{'0' * zeros}{number}", f"{'0' * zeros}{number:X}"
    assert MessageIds.HEX_THEN_DECIMAL.in_answer(hexadecimal) == MessageIds.HEX_THEN_DECIMAL.in_receipt(decimal)
    assert MessageIds.DECIMAL_THEN_HEX.in_answer(decimal) == MessageIds.DECIMAL_THEN_HEX.in_receipt(hexadecimal.lower())
    assert MessageIds.DECIMAL.in_answer(decimal) == MessageIds.DECIMAL.in_receipt(str(number))


@given(st.text(max_size=64))
def test_an_id_that_is_no_number_stays_as_it_is(text: str) -> None:
    """And the same always means the same."""
    for ids in MessageIds:
        assert ids.in_receipt(text) == text or text.isalnum()
    assert MessageIds.SAME.in_answer(text) == MessageIds.SAME.in_receipt(text) == text

"""Numbers: which may be dialled, and what they become. The allow-list decides, not the numbering library alone."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from controller.domain.phone_number import DialableNumber, NumberPlan, Refusal, as_printed, check, mask, takes_sms

JAPAN = NumberPlan()
E164_JAPAN = re.compile(r"\+81[1-9][0-9]{8,9}")


@pytest.mark.parametrize(
    ("keyed", "e164", "printed"),
    [
        ("09012345678", "+819012345678", "090-1234-5678"),
        ("08012345678", "+818012345678", "080-1234-5678"),
        ("07012345678", "+817012345678", "070-1234-5678"),
        ("06012345678", "+816012345678", "060-1234-5678"),
        ("05012345678", "+815012345678", "050-1234-5678"),
        ("0312345678", "+81312345678", "03-1234-5678"),
        ("0612345678", "+81612345678", "06-1234-5678"),
        ("0451234567", "+81451234567", "045-123-4567"),
        ("0997212345", "+81997212345", "0997-21-2345"),
        ("+819012345678", "+819012345678", "090-1234-5678"),
        ("819012345678", "+819012345678", "090-1234-5678"),
        ("010819012345678", "+819012345678", "090-1234-5678"),
        ("18409012345678", "+819012345678", "090-1234-5678"),
        ("1860312345678", "+81312345678", "03-1234-5678"),
    ],
)
def test_mobiles_landlines_and_050_may_be_dialled_in_every_way_of_writing_them(
    keyed: str, e164: str, printed: str
) -> None:
    """One number, one E.164, whether it came with a trunk 0, +81, 010 81, or 184 and 186 in front."""
    number = check(keyed, JAPAN)
    assert number == DialableNumber(e164, printed)
    assert number.national == printed.replace("-", "")
    assert check(number.national, JAPAN) == number


@pytest.mark.parametrize("keyed", ["09018401234", "09018601234", "0318401234", "05018601860"])
def test_184_and_186_inside_a_number_are_part_of_it(keyed: str) -> None:
    """Only in front of a number do they hide and show the caller."""
    number = check(keyed, JAPAN)
    assert isinstance(number, DialableNumber)
    assert number.national == keyed


@pytest.mark.parametrize(
    ("keyed", "why"),
    [
        ("0120123456", Refusal.FREEPHONE),
        ("08001234567", Refusal.FREEPHONE),
        ("0570012345", Refusal.SHARED_COST),
        ("0990512345", Refusal.PREMIUM),
        ("110", Refusal.TOO_SHORT),
        ("119", Refusal.TOO_SHORT),
        ("118", Refusal.TOO_SHORT),
        ("104", Refusal.TOO_SHORT),
        ("0901234567", Refusal.INVALID),
        ("090123456789", Refusal.INVALID),
        ("+14155550123", Refusal.COUNTRY),
        ("+442079460958", Refusal.COUNTRY),
        ("+881612345678", Refusal.COUNTRY),
        ("+870773111632", Refusal.COUNTRY),
        ("01014155550123", Refusal.COUNTRY),
        ("0201234567", Refusal.INVALID),
        ("02012345678", Refusal.TYPE),
    ],
)
def test_freephone_premium_emergency_abroad_and_satellite_are_refused(keyed: str, why: Refusal) -> None:
    """Each with its reason; a callback to one of these is fraud or a mistake."""
    assert check(keyed, JAPAN) is why


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+",
        "09",
        "09012345678,,1#",
        "09012345678;ext=9",
        "09012345678x9",
        "０９０１２３４５６７８",
        "٠٩٠١٢٣٤٥٦٧٨",
        "090-1234-5678",
        "090 1234 5678",
        "09012345678\n",
        "\x00" + "09012345678",
        "09012345678\r\nX: y",
        "PJSIP/09012345678@trunk",
        "09012345678&09087654321",
        "${CALLERID(num)}",
        "++819012345678",
        "0*0#",
        "0" * 21,
        "tel:+819012345678",
    ],
)
def test_what_is_not_plain_digits_is_no_number(text: str) -> None:
    """Pauses, extensions, other scripts' digits, control characters and dial-string signs never reach the library."""
    assert check(text, JAPAN) is Refusal.NOT_A_NUMBER


@given(st.text(max_size=30) | st.from_regex(r"\+?[0-9]{0,22}", fullmatch=True))
@example("+8190123456781234")
@example("000")
@example("0" * 20)
def test_check_never_raises_and_what_it_lets_through_is_a_clean_japanese_number(text: str) -> None:
    """Whatever is keyed, and whatever the network shows."""
    number = check(text, JAPAN)
    if isinstance(number, DialableNumber):
        assert E164_JAPAN.fullmatch(number.e164)
        assert re.fullmatch(r"0[0-9]{9,10}", number.national)
        assert check(number.e164, JAPAN) == number


@given(st.from_regex(r"0[5-9]0[1-9][0-9]{7}", fullmatch=True))
def test_a_number_is_the_same_with_the_prefix_that_hides_the_caller(keyed: str) -> None:
    """184 in front changes nothing but what is shown, and that is not ours to send."""
    assert check(f"184{keyed}", JAPAN) == check(keyed, JAPAN)


def test_a_denied_prefix_is_refused_though_the_type_would_do() -> None:
    """The admin's own list comes last and wins."""
    plan = NumberPlan(denied_prefixes=("+8190123",))
    assert check("09012345678", plan) is Refusal.PREFIX
    assert isinstance(check("09022345678", plan), DialableNumber)


def test_another_country_has_to_be_allowed_by_name() -> None:
    """And is then read by its own plan."""
    assert check("+442079460958", NumberPlan(countries=frozenset({"JP", "GB"}))) == DialableNumber(
        "+442079460958", "020 7946 0958"
    )


def test_what_is_no_number_is_printed_as_it_is() -> None:
    """A display never fails on what the network sent."""
    assert as_printed("anonymous", "JP") == "anonymous"


@given(st.text(min_size=1, max_size=25))
def test_a_masked_number_hides_its_last_four_signs(number: str) -> None:
    """And everything, when there is little more than that."""
    masked = mask(number)
    assert masked.endswith("****")
    assert masked == "****" or (masked[:-4] == number[:-4] and len(masked) == len(number))


@pytest.mark.parametrize(
    ("number", "masked"),
    [(None, "anonymous"), ("", "anonymous"), ("110", "****"), ("09012345678", "0901234****")],
)
def test_masking_by_example(number: str | None, masked: str) -> None:
    """As it stands in the log."""
    assert mask(number) == masked


@pytest.mark.parametrize(
    ("keyed", "expected"),
    [
        ("09012345678", True),
        ("08012345678", True),
        ("07012345678", True),
        ("05012345678", False),
        ("0312345678", False),
    ],
)
def test_an_sms_reaches_mobile_phones_alone(keyed: str, *, expected: bool) -> None:
    """070, 080, 090; an IP phone and a landline take none."""
    number = check(keyed, JAPAN)
    assert isinstance(number, DialableNumber)
    assert takes_sms(number) is expected


@pytest.mark.parametrize("keyed", ["0312345678", "+81312345678", "186" + "0312345678"])
def test_our_own_number_is_nobodys_to_be_called_back_on(keyed: str) -> None:
    """An agent would be joined with our own greeting."""
    assert check(keyed, NumberPlan(own_numbers=frozenset({"+81312345678"}))) is Refusal.OWN

"""Nothing outside the allow-list passes the gate (invariant 17), also where the library would let it."""

import re
from datetime import UTC, datetime, time

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberType

from controller.domain.gate import CallingHours, Gate
from controller.domain.outcome import Outcome
from controller.domain.phone_number import CALLABLE_TYPES, DialableNumber, NumberPlan, Refusal, check

NOON = datetime(2026, 11, 24, 3, tzinfo=UTC)
EVERYWHERE = frozenset(phonenumbers.SUPPORTED_REGIONS)
ALL_TYPES = frozenset(PhoneNumberType.values())
OPEN = NumberPlan(countries=EVERYWHERE, types=dict.fromkeys(EVERYWHERE, ALL_TYPES))
"""The most that settings could allow, and more: every country, every type of number."""
JAPAN = re.compile(r"\+81(?:[5789]0[1-9][0-9]{7}|60[1-9][0-9]{7}|[1-9][0-9]{8})")
NEVER = re.compile(
    r"\+81(570|120|800|990)|\+870|\+881|\+882|\+883|\+878|\+888|\+979|\+800|\+808|\+1900|\+4470|\+449|\+1...976"
)

digits = st.text("0123456789", max_size=16)
BEGINNINGS = "+ +1 +1876 +44 +4470 +81 +8190 +81570 +870 +881 +882 +979 0 00 010 0570 0990 0120 09 0800 110 118 184 186"
plain = st.builds(str.__add__, st.sampled_from(BEGINNINGS.split()), digits)
dirty = st.text("0123456789+,;&@#*pPwWx -().${}|/\\\r\n\t\x00\x7f０９٠٩۰۹abc名", max_size=24)
mixed = st.builds(lambda number, at, sign: number[:at] + sign + number[at:], plain, st.integers(0, 18), dirty)


@settings(deadline=None, max_examples=1500)
@given(plain | dirty | mixed | st.text(max_size=20))
@example("+8190123456781234")
@example("09012345678,,1#")
@example("０９０１２３４５６７８")
@example("٠٩٠١٢٣٤٥٦٧٨")
@example("+1-212-345-6789")
@example("PJSIP/09012345678@trunk")
@example("09012345678\r\nX-Y: z")
def test_only_a_plain_number_of_japan_passes_the_default_gate(text: str) -> None:
    """Whatever is keyed, sent or stored; and what passes is dialled in ASCII digits alone."""
    gate = Gate(NumberPlan(), CallingHours(time(0), time(0)))
    answer = gate.clear(text, NOON)
    if isinstance(answer, DialableNumber):
        assert re.fullmatch(r"\+?[0-9]{3,20}", text, re.ASCII)
        assert JAPAN.fullmatch(answer.e164)
        assert not NEVER.match(answer.e164)
        assert re.fullmatch(r"[0-9]{9,11}", answer.national, re.ASCII)
    else:
        assert answer is Outcome.NOT_ALLOWED


@settings(deadline=None, max_examples=1500)
@given(plain | dirty | mixed, st.sets(st.sampled_from(["JP", "US", "GB", "FR", "JM"]), min_size=1))
def test_a_number_of_a_country_or_type_that_is_not_named_never_passes(text: str, countries: set[str]) -> None:
    """Only mobiles abroad here; the library is asked afresh for what passed."""
    types = dict.fromkeys(countries - {"JP"}, frozenset({PhoneNumberType.MOBILE}))
    answer = check(text, NumberPlan(countries=frozenset(countries), types=types))
    if isinstance(answer, DialableNumber):
        number = phonenumbers.parse(answer.e164)
        country = phonenumbers.region_code_for_number(number)
        assert country in countries
        kind = phonenumbers.number_type(number)
        assert kind in CALLABLE_TYPES if country == "JP" else kind == PhoneNumberType.MOBILE
        assert not number.extension


@pytest.mark.parametrize(
    "number",
    [
        "0570012345",
        "+81570012345",
        "0990512345",
        "0120123456",
        "08001234567",
        "+870773111632",
        "+881612345678",
        "+8816123456789",
        "+882161234567",
        "+883510012345678",
        "+888123456789",
        "+80012345678",
        "+80812345678",
        "+979123456789",
        "+12129761234",
        "+19005551234",
        "+447012345678",
        "+449012345678",
        "110",
        "118",
        "119",
        "171",
        "188",
        "117",
        "+81118",
        "+81188",
        "911",
        "+1911",
        "112",
    ],
)
def test_these_are_refused_even_if_every_country_and_type_is_allowed(number: str) -> None:
    """Navi Dial, premium, freephone, satellite, personal numbers, and three digits: no settings let them through."""
    assert isinstance(check(number, OPEN), Refusal)


@pytest.mark.parametrize(
    "number", ["+12129761234", "+14159769999", "+14169761234", "+447012345678", "+81570012345", "+19005551234"]
)
def test_the_built_in_list_refuses_what_the_library_takes_for_valid(number: str) -> None:
    """Each is a valid number of an allowed type; it is the prefix that refuses it."""
    assert phonenumbers.is_valid_number(phonenumbers.parse(number))
    assert check(number, OPEN) is Refusal.PREFIX


@pytest.mark.parametrize("country", sorted({*phonenumbers.COUNTRY_CODE_TO_REGION_CODE[1]} - {"US"}))
def test_the_rest_of_plus_one_is_not_the_united_states(country: str) -> None:
    """The Caribbean, Canada, Guam: all look alike, and are dearer; each is a country of its own here."""
    for kind in sorted(CALLABLE_TYPES):
        number = phonenumbers.example_number_for_type(country, kind)
        if number is not None:
            e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            assert check(e164, NumberPlan(countries=frozenset({"US"}))) is Refusal.COUNTRY
            assert isinstance(check(e164, NumberPlan(countries=frozenset({country}))), DialableNumber)


def test_of_all_area_codes_of_plus_one_those_of_the_united_states_alone_pass() -> None:
    """The list of the others is written down here, and not taken from the library."""
    others = """
        204 226 236 242 246 249 250 263 264 268 284 289 306 343 345 354 365 367 368 382 403 416 418 428 431 437 438 441
        450 468 473 474 506 514 519 548 579 581 584 587 600 604 613 639 647 649 658 664 670 671 672 683 684 705 709 721
        742 753 758 767 778 780 782 784 787 807 809 819 825 829 849 867 868 869 873 876 879 902 905 939
    """
    passed = {
        str(area)
        for area in range(200, 1000)
        if isinstance(check(f"+1{area}3456789", NumberPlan(countries=frozenset({"US"}))), DialableNumber)
    }
    assert {"212", "213", "303", "312", "602", "808", "907"} <= passed
    assert not passed & set(others.split())


@pytest.mark.parametrize(
    "number",
    ["+886912345678", "+8801812345678", "0118123456", "0118801234", "0188123456", "+12123456789", "+447400123456"],
)
def test_what_only_looks_like_a_forbidden_number_may_be_dialled(number: str) -> None:
    """Taiwan and Bangladesh next to the satellites; Sapporo and Akita, which begin as 118 and 188 do."""
    assert isinstance(check(number, OPEN), DialableNumber)


def test_a_country_may_be_restricted_to_types() -> None:
    """Mobiles of France, all of Japan; what cannot be told (the United States) has a type of its own."""
    plan = NumberPlan(
        countries=frozenset({"JP", "FR", "US"}),
        types={
            "FR": frozenset({PhoneNumberType.MOBILE}),
            "US": frozenset({PhoneNumberType.FIXED_LINE_OR_MOBILE}),
        },
    )
    assert isinstance(check("+33612345678", plan), DialableNumber)
    assert check("+33123456789", plan) is Refusal.TYPE
    assert isinstance(check("+12123456789", plan), DialableNumber)
    assert isinstance(check("0312345678", plan), DialableNumber)


@settings(deadline=None)
@given(dirty | mixed | st.text(max_size=300))
@example("")
@example("+")
@example("9" * 260)
def test_hours_and_caps_are_told_of_any_text(text: str) -> None:
    """They are asked for before the gate is, and must not be what ends the process."""
    gate = Gate(NumberPlan(), CallingHours())
    opening = gate.hours_of(text).next_opening(NOON)
    assert gate.hours_of(text).allow(opening)
    assert gate.caps_for(text).per_number == 3

"""The gate for SMS: countries, types, prefixes."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberType

from controller.domain.phone_number import NumberPlan
from controller.domain.sms_gate import SmsGate

HOME = SmsGate(NumberPlan(own_numbers=frozenset({"+819087654321"})), frozenset({"JP"}))
ABROAD = SmsGate(NumberPlan(), frozenset({"JP", "US", "GB"}), denied_prefixes=("+4477",))


@pytest.mark.parametrize(
    ("number", "objection"),
    [
        ("+819012345678", None),
        ("+818012345678", None),
        ("+817012345678", None),
        ("+815031234567", "no SMS can reach this type of number"),
        ("+81312345678", "no SMS can reach this type of number"),
        ("+81120123456", "no SMS can reach this type of number"),
        ("+819087654321", "it is one of our own numbers"),
        ("+12025550123", "the settings allow no SMS to this country"),
        ("+14155552671", "the settings allow no SMS to this country"),
        ("+447911123456", "the settings allow no SMS to this country"),
        ("09012345678", "it is not written as E.164"),
        ("+81901234567", "it is no valid number"),
        ("+8190123456789", "it is no valid number"),
        ("", "it is no valid number"),
        ("+", "it is no valid number"),
        ("+819012345678;ext=1", "it is no valid number"),
        ("+819012345678\r\nX: y", "it is no valid number"),
        ("\uff0b819012345678", "it is no valid number"),
    ],
)
def test_at_home_only_mobile_phones_are_texted(number: str, objection: str | None) -> None:
    """And never ourselves."""
    assert HOME.objection(number) == objection


@pytest.mark.parametrize(
    ("number", "allowed"),
    [
        ("+14155552671", True),
        ("+447400123456", True),
        ("+447700900123", False),
        ("+447062123456", False),
        ("+33612345678", False),
        ("+881612345678", False),
        ("+8835100012345", False),
    ],
)
def test_abroad_the_countries_that_the_settings_name_are_texted(number: str, allowed: bool) -> None:
    """Short of the prefixes that they or the plan deny; whether they may be dialled is not asked."""
    assert (ABROAD.objection(number) is None) is allowed


def test_the_prefixes_of_the_dialling_plan_hold_here_too() -> None:
    """Whoever may not be called for fraud is not texted either."""
    gate = SmsGate(NumberPlan(denied_prefixes=("+8190123",)), frozenset({"JP"}))
    assert gate.objection("+819012345678") == "the number begins as the settings or their defaults forbid"
    assert gate.objection("+819087654321") is None


numbers = st.from_regex(r"\A\+(81|1|44|33|88|8)[0-9]{5,12}\Z") | st.text(max_size=40)


@given(numbers, st.frozensets(st.sampled_from(["JP", "US", "GB", "FR"])), st.lists(st.sampled_from(["+8190", "+1"])))
def test_whatever_passes_is_an_allowed_mobile_of_an_allowed_country(
    number: str, countries: frozenset[str], denied: list[str]
) -> None:
    """Asked of the library, and by the digits; an objection never repeats the number."""
    objection = SmsGate(NumberPlan(), countries, tuple(denied)).objection(number)
    if objection is not None:
        assert number not in objection or len(number) < 3
        return
    parsed = phonenumbers.parse(number)
    assert phonenumbers.is_valid_number(parsed)
    assert phonenumbers.region_code_for_number(parsed) in countries
    assert phonenumbers.number_type(parsed) in {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}
    assert not any(number.startswith(prefix) for prefix in denied)
    assert number == phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)

"""What is keyed: ended by the finishing key, or by enough digits."""

import string

from hypothesis import given
from hypothesis import strategies as st

from controller.domain.digits import KEYS, ONE_KEY, PHONE_NUMBER, Entry, Keypad

digits = st.text(string.digits, max_size=19)


def pressed(keypad: Keypad, keys: str) -> tuple[str, Entry]:
    """Press keys until the entry is complete; return what stands and whether it is."""
    entered, entry = "", Entry.OPEN
    for key in keys:
        entered, entry = keypad.press(entered, key)
        if entry is Entry.COMPLETE:
            break
    return entered, entry


@given(digits)
def test_a_number_ends_with_the_hash_which_is_not_part_of_it(keyed: str) -> None:
    """An empty one too."""
    assert pressed(PHONE_NUMBER, keyed) == (keyed, Entry.OPEN)
    assert pressed(PHONE_NUMBER, f"{keyed}#999") == (keyed, Entry.COMPLETE)


@given(digits, digits)
def test_a_star_begins_the_number_afresh(wrong: str, right: str) -> None:
    """What was keyed before it is forgotten."""
    assert pressed(PHONE_NUMBER, f"{wrong}*{right}#") == (right, Entry.COMPLETE)


@given(st.text(string.digits, min_size=20, max_size=40))
def test_a_number_is_complete_at_twenty_digits(keyed: str) -> None:
    """The longest of E.164 has 15, and a prefix to call abroad; nobody fills the memory by leaning on a key."""
    assert pressed(PHONE_NUMBER, keyed) == (keyed[:20], Entry.COMPLETE)


@given(st.sampled_from(sorted(KEYS)))
def test_in_a_menu_the_first_key_is_the_answer_whichever_it_is(key: str) -> None:
    """Hash and star included."""
    assert ONE_KEY.press("", key) == (key, Entry.COMPLETE)


@given(digits, st.text(max_size=3).filter(lambda text: text not in KEYS))
def test_what_is_no_key_changes_nothing(entered: str, garbage: str) -> None:
    """The wire is not trusted; several characters at once, or none, are no key either."""
    assert PHONE_NUMBER.press(entered, garbage) == (entered, Entry.OPEN)
    assert ONE_KEY.press(entered, garbage) == (entered, Entry.OPEN)

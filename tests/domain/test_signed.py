"""Tokens and codes: what is ours is read, and nothing else is."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import Counter
from string import ascii_letters, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.signed import ID_BYTES, Purpose, Signer

SIGNER = Signer(b"a secret of this test")
OTHER = Signer(b"the secret of another")
IDS = st.binary(min_size=ID_BYTES, max_size=ID_BYTES).map(bytes.hex)
PURPOSES = st.sampled_from(Purpose)
CHARACTERS = ascii_letters + digits + "-_"


@given(IDS, PURPOSES)
def test_a_token_is_read_as_the_id_that_it_was_made_of(an_id: str, purpose: Purpose) -> None:
    """It has 24 characters, all of which an address may have."""
    token = SIGNER.token(purpose, an_id)
    assert len(token) == 24
    assert set(token) <= set(CHARACTERS)
    assert SIGNER.read(purpose, token) == an_id


@given(IDS, PURPOSES, PURPOSES)
def test_a_token_is_good_for_one_purpose_and_one_secret(an_id: str, purpose: Purpose, other: Purpose) -> None:
    """One for a promise neither books nor proves."""
    token = SIGNER.token(purpose, an_id)
    assert (SIGNER.read(other, token) is not None) is (purpose is other)
    assert OTHER.read(purpose, token) is None


@given(IDS, PURPOSES, st.integers(0, 23), st.sampled_from(CHARACTERS + "+/=%é\n "))
def test_a_token_with_one_sign_changed_is_none(an_id: str, purpose: Purpose, place: int, sign: str) -> None:
    """Each has one spelling: `+` is not taken for `-`."""
    token = SIGNER.token(purpose, an_id)
    changed = token[:place] + sign + token[place + 1 :]
    assert (SIGNER.read(purpose, changed) is None) is (changed != token)


@given(st.text(max_size=60) | st.text(CHARACTERS, min_size=24, max_size=24), PURPOSES)
def test_what_somebody_made_up_is_no_token(made_up: str, purpose: Purpose) -> None:
    """Whatever it is; and it raises nothing."""
    assert SIGNER.read(purpose, made_up) is None


@given(IDS, PURPOSES)
def test_the_signature_is_what_rfc_2104_makes_of_purpose_and_id(an_id: str, purpose: Purpose) -> None:
    """Worked out a second time, here: links that were sent have to be good after an update."""
    mac = hmac.new(SIGNER.secret, f"orikaeshi token {purpose.value} {an_id}".encode(), hashlib.sha256).digest()
    raw = base64.urlsafe_b64decode(SIGNER.token(purpose, an_id))
    assert raw == bytes.fromhex(an_id) + mac[:9]


@given(IDS)
def test_an_id_is_the_same_however_it_is_written(an_id: str) -> None:
    """Hexadecimal digits have two cases."""
    assert SIGNER.token(Purpose.BOOK, an_id.upper()) == SIGNER.token(Purpose.BOOK, an_id)


@pytest.mark.parametrize("no_id", ["", "00", "zz" * 9, "00" * 8, "00" * 10])
def test_what_is_no_id_gets_no_token(no_id: str) -> None:
    """A mistake of ours, which is told."""
    with pytest.raises(ValueError, match=r"hexadecimal|not an id"):
        SIGNER.token(Purpose.BOOK, no_id)


@given(st.text(), st.text(), PURPOSES, PURPOSES)
def test_a_name_has_one_id_and_no_other_name_has_it(name: str, other: str, purpose: Purpose, another: Purpose) -> None:
    """The same SMS has the same link, whenever it is written again."""
    same = (name, purpose) == (other, another)
    assert (SIGNER.id_for(purpose, name) == SIGNER.id_for(another, other)) is same
    assert len(SIGNER.id_for(purpose, name)) == 2 * ID_BYTES
    assert SIGNER.id_for(purpose, name) != OTHER.id_for(purpose, name)


@given(IDS)
def test_a_code_is_six_digits_and_proves_its_own_challenge(an_id: str) -> None:
    """As it is typed on any phone: with blanks, or in full-width digits."""
    code = SIGNER.code(an_id)
    assert len(code) == 6
    assert code.isascii()
    assert code.isdecimal()
    wide = code.translate({ord(digit): ord(digit) - ord("0") + ord("０") for digit in digits})
    for typed in (code, f" {code[:3]} {code[3:]}\n", wide):
        assert SIGNER.is_code(an_id, typed)


@given(IDS, st.text(max_size=50) | st.text(digits, max_size=8))
def test_anything_else_is_not_the_code(an_id: str, typed: str) -> None:
    """Fewer digits, more, or others."""
    typed_digits = "".join(str(int(sign)) for sign in typed if sign.isdecimal())
    assert SIGNER.is_code(an_id, typed) is (typed_digits == SIGNER.code(an_id))


def test_codes_are_spread_over_all_that_there_are() -> None:
    """Of 20,000 codes no first digit comes much more often than another, and few come twice."""
    codes = [SIGNER.code(f"{number:018x}") for number in range(20_000)]
    first = Counter(code[0] for code in codes)
    assert len(first) == 10
    assert max(first.values()) < 2200
    assert len(set(codes)) > 19_500


def test_a_secret_that_is_too_short_is_refused_and_none_is_ever_shown() -> None:
    """Not in a log, by way of repr."""
    with pytest.raises(ValueError, match="16 bytes"):
        Signer(b"fifteen bytes..")
    assert "secret of" not in repr(SIGNER)

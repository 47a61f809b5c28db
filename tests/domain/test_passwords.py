"""Passwords: which are refused, how they are kept, and that all of them take the same way."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from controller.domain.common_passwords import COMMON
from controller.domain.passwords import (
    LONGEST,
    NOBODYS,
    SHORTEST,
    DamagedPasswordHashError,
    PasswordRefusal,
    hashed,
    is_outdated,
    matches,
    refusal,
)

OWN = ("hanako", "鈴木 花子", "agent-7012")
SALT = bytes(range(16))
GOOD = "correct horse battery staple"


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("", PasswordRefusal.SHORT),
        ("x9!kQ2#vL8$", PasswordRefusal.SHORT),  # eleven signs, however wild
        ("あいうえおかきくけこさ", PasswordRefusal.SHORT),
        ("tea " * 33, PasswordRefusal.LONG),
        ("hanakohanako", PasswordRefusal.OWN_NAME),
        ("Hanako-hanako!", PasswordRefusal.OWN_NAME),
        ("H4nak0!!!!!!!!", PasswordRefusal.OWN_NAME),
        ("okanah okanah", PasswordRefusal.OWN_NAME),
        ("鈴木花子鈴木花子鈴木花子", PasswordRefusal.OWN_NAME),
        ("agent-7012agent", PasswordRefusal.OWN_NAME),
        ("password1234", PasswordRefusal.COMMON),
        ("P@ssw0rd!2026", PasswordRefusal.COMMON),
        ("123456789012", PasswordRefusal.COMMON),
        ("qwertyuiop12", PasswordRefusal.COMMON),
        ("1qaz2wsx3edc", PasswordRefusal.COMMON),
        ("aaaaaaaaaaaaaaaa", PasswordRefusal.COMMON),
        ("abc!abc!abc!abc!", PasswordRefusal.COMMON),
        ("sakurasakura12", PasswordRefusal.COMMON),
        ("Orikaeshi2026!", PasswordRefusal.COMMON),
        ("パスワードパスワード12", PasswordRefusal.COMMON),
        ("letmein-welcome", PasswordRefusal.COMMON),
    ],
)
def test_what_anybody_would_try_is_refused(password: str, why: PasswordRefusal) -> None:
    """A name, a common word, a row of keys, the same again: also in disguise, backwards, and with signs around."""
    assert refusal(password, own=OWN) is why


@pytest.mark.parametrize(
    "password",
    [
        GOOD,
        "green tea in the morning",
        "k7-Qm2-xR9-Lw4-Tz",
        "毎朝まぐろ漁船で緑茶を飲む",
        "twelve signs",
        "my password is seven apples",
        "x" * 3 + "9!kQ2#vL8$mN5" * 9,
        "🍵 with my friend Kazuo",
        "            blanks count too: zebra",
    ],
)
def test_length_is_enough_and_no_kind_of_sign_is_asked_for(password: str) -> None:
    """Small letters alone, Japanese, blanks; a common word inside is no fault."""
    assert refusal(password, own=OWN) is None


@given(st.text(min_size=SHORTEST, max_size=LONGEST))
@example(GOOD)
def test_a_refusal_knows_no_case(password: str) -> None:
    """What is refused small is refused in capitals, where both have the same length."""
    capitals = password.upper()
    if capitals.casefold() == password.casefold():
        assert refusal(password, own=OWN) == refusal(capitals, own=OWN)


@given(st.sampled_from(COMMON), st.sampled_from(COMMON), st.text("!?. 0123456789", max_size=5))
def test_two_common_words_and_a_few_signs_are_one_common_password(one: str, other: str, signs: str) -> None:
    """In any order; none of them is taken."""
    assert refusal(f"{one}{signs}{other}", own=()) is not None


@settings(max_examples=3)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=LONGEST))
@example(GOOD)
@example("pass\0word with a zero byte")
def test_a_password_matches_itself_and_nothing_near_it(password: str) -> None:
    """Exactly as it was typed: nothing is cut, trimmed or made small."""
    kept = hashed(password, SALT)
    assert matches(password, kept)
    assert not matches(f"{password} ", kept)
    assert not matches(password[:-1], kept)
    assert not matches(password.swapcase() if password.swapcase() != password else f"x{password}", kept)


def test_the_hash_is_argon2id_with_the_memory_that_owasp_asks_for() -> None:
    """19 MiB, two passes; the salt makes each another one."""
    kept = hashed(GOOD, SALT)
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert GOOD not in kept
    assert hashed(GOOD, SALT[::-1]) != kept
    assert not is_outdated(kept)
    assert is_outdated(kept.replace("m=19456", "m=9216"))


def test_nobodys_hash_costs_as_much_as_anybodys_and_is_opened_by_nothing() -> None:
    """The same parameters and lengths: only the contents differ."""
    kept = hashed(GOOD, SALT)
    assert [len(part) for part in NOBODYS.split("$")] == [len(part) for part in kept.split("$")]
    assert NOBODYS.split("$")[:4] == kept.split("$")[:4]
    assert not matches(GOOD, NOBODYS)
    assert not matches("", NOBODYS)


@pytest.mark.parametrize(
    "damaged",
    [
        "",
        "x",
        "scrypt$16384$8$1$00$00",
        "$argon2id$v=19$m=47104,t=1,p=1$c2FsdA",
        "$argon2i$v=19$m=47104,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=4194304,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=65536,t=99,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
        hashed(GOOD, SALT) + "\n",
    ],
)
def test_a_damaged_hash_is_told_and_never_matches_or_takes_all_memory(damaged: str) -> None:
    """Who can write to the database cannot have us hash for hours either."""
    with pytest.raises(DamagedPasswordHashError):
        matches(GOOD, damaged)

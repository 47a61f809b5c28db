"""Keys, sessions and login names: what is one, what is kept of it, and when it ends."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain import api_key, session_rules
from controller.domain.access import SCOPES_OF_KEYS, Scope
from controller.domain.login_name import login_name

NOON = datetime(2026, 4, 1, 3, tzinfo=UTC)
IDS = st.binary(min_size=api_key.ID_BYTES, max_size=api_key.ID_BYTES).map(bytes.hex)
SECRETS = st.binary(min_size=api_key.SECRET_BYTES, max_size=api_key.SECRET_BYTES).map(bytes.hex)


@given(IDS, SECRETS)
def test_a_key_is_read_as_it_was_written(an_id: str, secret: str) -> None:
    """And what is kept of it does not tell it."""
    assert api_key.read(api_key.written(an_id, secret)) == (an_id, secret)
    kept = api_key.secret_hash(secret)
    assert re.fullmatch(r"[0-9a-f]{64}", kept)
    assert secret not in kept
    assert api_key.matches(secret, kept)


@given(IDS, SECRETS, SECRETS)
def test_another_secret_does_not_match(an_id: str, secret: str, other: str) -> None:
    """Nor does the hash itself, which whoever stole the database has."""
    kept = api_key.secret_hash(secret)
    assert api_key.matches(other, kept) == (other == secret)
    assert not api_key.matches(kept, kept)
    assert not api_key.matches(an_id, kept)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ori_",
        "ori__",
        "ori_0123456789ab_",
        "ori_0123456789ab_" + "0" * 63,
        "ori_0123456789ab_" + "0" * 65,
        "ori_0123456789AB_" + "0" * 64,
        "ORI_0123456789ab_" + "0" * 64,
        "ori_0123456789ab_" + "0" * 64 + "\n",
        "ori_0123456789ab_" + "０" * 64,
    ],
)
def test_what_is_no_key_is_not_looked_up(text: str) -> None:
    """Neither too short, too long, in capitals, nor with other digits than ours."""
    assert api_key.read(text) is None


def test_a_key_gets_the_scopes_that_keys_may_have_and_no_others() -> None:
    """A program has no phone, and makes neither people nor keys."""
    assert api_key.scopes_of_key(scope.value for scope in SCOPES_OF_KEYS) == SCOPES_OF_KEYS
    for scope in set(Scope) - SCOPES_OF_KEYS:
        with pytest.raises(ValueError, match=scope.value):
            api_key.scopes_of_key(["floor:read", scope.value])
    for words in ([], ["everything"]):
        with pytest.raises(ValueError, match="there are: audit:read"):
            api_key.scopes_of_key(words)


@given(st.binary(min_size=session_rules.TOKEN_BYTES, max_size=session_rules.TOKEN_BYTES))
def test_of_a_sessions_token_a_hash_is_kept(raw: bytes) -> None:
    """64 digits, the same each time; the token cannot be read from it."""
    token = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    kept = session_rules.token_hash(token)
    assert kept is not None
    assert kept == session_rules.token_hash(token)
    assert re.fullmatch(r"[0-9a-f]{64}", kept)


@given(st.text())
def test_a_cookie_that_is_no_token_is_no_session(text: str) -> None:
    """It is not even hashed, however long it is."""
    is_token = re.fullmatch(r"[A-Za-z0-9_-]{43}", text, re.ASCII) is not None
    assert (session_rules.token_hash(text) is not None) == is_token


@pytest.mark.parametrize(
    ("seen_ago_s", "ends_in_s", "is_over"),
    [(0, 1, False), (1799.9, 1, False), (1800, 1, True), (0, 0, True), (0, -1, True), (1799.9, 0, True)],
)
def test_a_session_ends_when_it_is_not_used_or_is_too_old(seen_ago_s: float, ends_in_s: float, is_over: bool) -> None:
    """Whichever comes first; to the moment."""
    seen_at, expires_at = NOON - timedelta(seconds=seen_ago_s), NOON + timedelta(seconds=ends_in_s)
    assert session_rules.is_over(NOON, seen_at=seen_at, expires_at=expires_at, idle_s=1800) is is_over


def test_the_last_use_is_written_once_a_minute() -> None:
    """The first at once."""
    assert session_rules.is_to_be_noted(NOON, None)
    assert not session_rules.is_to_be_noted(NOON, NOON - timedelta(seconds=59.9))
    assert session_rules.is_to_be_noted(NOON, NOON - timedelta(seconds=60))


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("hanako", "hanako"),
        (" Hanako ", "hanako"),
        ("hanako.suzuki@example.jp", "hanako.suzuki@example.jp"),
        ("a" * 64, "a" * 64),
        ("a" * 65, None),
        ("", None),
        (".hidden", None),
        ("花子", None),
        ("ｈanako", None),
        ("hanako\n; --", None),
        ("ha nako", None),
        ("İ", None),
    ],
)
def test_a_login_name_is_found_however_it_is_typed(typed: str, name: str | None) -> None:
    """Capitals and blanks around it do not matter; what looks like one and is none is none."""
    assert login_name(typed) == name

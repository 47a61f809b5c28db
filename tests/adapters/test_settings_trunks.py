"""The trunks in the settings file: the short form for one, the list for several, and how they contradict each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pytest
from pydantic import ValidationError

from controller.settings.trunks import Trunk, trunk_mistakes, trunks_of

LISTED = [{"name": "first", "endpoint": "carrier"}, {"name": "second", "endpoint": "backup"}]
AGENTS = [{"name": "alice", "endpoint": "agent-1"}]


@dataclass
class ShortForm:
    """What [dialer] says."""

    trunk: str | None = "carrier"
    number_format: Literal["national", "e164"] = "e164"
    max_concurrent_calls: int = 4
    calls_per_s: float = 0.5


def test_the_one_trunk_of_the_short_form_is_a_trunk_like_any_other() -> None:
    """Nothing of what [dialer] says is lost."""
    (trunk,) = trunks_of((), ShortForm())
    assert trunk == Trunk(
        name="carrier", endpoint="carrier", max_concurrent_calls=4, calls_per_s=0.5, number_format="e164"
    )


def test_several_trunks_are_taken_in_their_order() -> None:
    """The list is the order of preference."""
    listed = tuple(Trunk.model_validate(one) for one in LISTED)
    assert [one.name for one in trunks_of(listed, ShortForm(trunk=None))] == ["first", "second"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"endpoint": "carrier/evil"},
        {"max_concurrent_calls": 0},
        {"calls_per_s": 0.0},
        {"calls_per_s": float("inf")},
        {"calls_per_s": "5"},
        {"caller_id": "03-1234-5678"},
        {"number_format": "sip"},
        {"secret": "x"},
    ],
)
def test_a_value_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    """Endpoints go into dial strings, and a trunk that never lets a call out is none."""
    with pytest.raises(ValidationError):
        Trunk.model_validate(LISTED[0] | wrong)


@pytest.mark.parametrize(
    ("raw", "places"),
    [
        ({"dialer": {"trunk": "carrier", "number_format": "e164"}}, []),
        ({"dialer": {}, "trunks": LISTED, "agents": AGENTS}, []),
        ({"dialer": {}}, [("dialer",)]),
        ({}, [("dialer",)]),
        (
            {"dialer": {"trunk": "carrier", "number_format": "e164", "calls_per_s": 1.0}, "trunks": LISTED},
            [("dialer", "trunk"), ("dialer", "number_format"), ("dialer", "calls_per_s")],
        ),
        ({"dialer": {}, "trunks": [*LISTED, LISTED[0]]}, [("trunks", 2, "name"), ("trunks", 2, "endpoint")]),
        (
            {"dialer": {}, "trunks": [{"name": "x", "endpoint": "agent-1"}], "agents": AGENTS},
            [("trunks", 0, "endpoint")],
        ),
        ({"dialer": {}, "trunks": ["carrier", {"name": 1, "endpoint": []}]}, []),
    ],
)
def test_what_contradicts_itself_is_told_with_its_place(raw: dict[str, Any], places: list[tuple[Any, ...]]) -> None:
    """What has the wrong shape is the model's to tell."""
    assert [place for place, _ in trunk_mistakes(raw)] == places

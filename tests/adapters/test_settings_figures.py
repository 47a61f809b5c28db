"""How calls are counted and what is planned for: the house's settings, and those of a queue that differs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from controller import from_settings
from controller.domain.figure_facts import ClockStart, Counting
from controller.domain.staffing import Target
from controller.settings import SettingsError, load_settings
from controller.settings.first_file import DEFAULT_TEMPLATE

if TYPE_CHECKING:
    from pathlib import Path

    from controller.settings import Settings

HOUSE = "[figures]"
QUEUE = "[queues.retry_gap_s]"


def loaded(tmp_path: Path, *, house: str = "", queue: str = "") -> Settings:
    """Return the default settings with another section [figures], and with one for the queue."""
    before, _, rest = DEFAULT_TEMPLATE.read_text("utf-8").partition(HOUSE)
    after = rest[rest.index("\n[agi]") :]
    text = f"{before}{HOUSE}\n{house}{after}".replace(QUEUE, f"{queue}\n{QUEUE}")
    path = tmp_path / "controller.toml"
    path.write_text(text, "utf-8")
    return load_settings(path, {}, needs_secrets=False)


def test_without_settings_all_is_as_usual(tmp_path: Path) -> None:
    """80 % within 20 seconds from the arrival, and at most 5 % who give up."""
    settings = loaded(tmp_path)
    for queue in (None, "support"):
        assert from_settings.counting(settings, queue) == Counting()
        assert from_settings.target(settings, queue) == Target()
        assert (from_settings.shrinkage(settings, queue), from_settings.patience_s(settings, queue)) == (0.0, None)


def test_the_default_file_says_what_is_usual() -> None:
    """An admin who reads it reads what holds."""
    settings = load_settings(DEFAULT_TEMPLATE, {}, needs_secrets=False)
    assert (from_settings.counting(settings), from_settings.target(settings)) == (Counting(), Target())


def test_a_queue_is_counted_as_the_house_but_for_what_it_says_itself(tmp_path: Path) -> None:
    """Key by key, of counting and of planning alike; the target time is the same for both."""
    settings = loaded(
        tmp_path,
        house='answer_within_s = 30\nshort_abandon_s = 5\nclock_start = "line"\n'
        "[figures.staffing]\nservice_level = 0.9\nasa_s = 25\nshrinkage = 0.25\npatience_s = 90\n",
        queue="[queues.figures]\nanswer_within_s = 60\n"
        "[queues.figures.staffing]\nservice_level = 0.7\nshrinkage = 0.3\n",
    )
    assert from_settings.counting(settings) == Counting(30, 5, ClockStart.LINE)
    assert from_settings.counting(settings, "support") == Counting(60, 5, ClockStart.LINE)
    assert from_settings.target(settings) == Target(0.9, 30, asa_s=25)
    assert from_settings.target(settings, "support") == Target(0.7, 60, asa_s=25)
    assert (from_settings.shrinkage(settings), from_settings.shrinkage(settings, "support")) == (0.25, 0.3)
    assert (from_settings.patience_s(settings), from_settings.patience_s(settings, "support")) == (90, 90)


def test_one_means_that_whatever_comes_is_well(tmp_path: Path) -> None:
    """Where none at all would be no number that TOML has."""
    settings = loaded(tmp_path, house="[figures.staffing]\nabandon_share = 1\noccupancy = 1\n")
    assert from_settings.target(settings) == Target(abandon_share=None, occupancy=None)


def test_a_queue_that_there_is_not_is_not_counted(tmp_path: Path) -> None:
    """A slip must not be counted as the house."""
    with pytest.raises(LookupError, match="no queue suport"):
        from_settings.counting(loaded(tmp_path), "suport")


@pytest.mark.parametrize(
    "wrong",
    [
        "answer_within_s = -1",
        "short_abandon_s = 1e9",
        'clock_start = "ring"',
        "[figures.staffing]\nservice_level = 1",
        "[figures.staffing]\nabandon_share = 1.5",
        "[figures.staffing]\noccupancy = 0",
        "[figures.staffing]\nshrinkage = 1",
        "[figures.staffing]\npatience_s = 0",
        "[figures.staffing]\nagents = 5",
    ],
)
def test_what_nobody_can_reach_or_know_is_told(tmp_path: Path, wrong: str) -> None:
    """With the line where it stands."""
    with pytest.raises(SettingsError) as caught:
        loaded(tmp_path, house=wrong + "\n")
    (mistake,) = caught.value.mistakes
    assert mistake.key.startswith("figures.")
    assert mistake.line is not None

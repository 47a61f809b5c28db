from __future__ import annotations

from lab.chaos.__main__ import FAULTS
from lab.chaos.bench import QUICK, RULES, for_chaos
from lab.chaos.figures import Figures, markdown
from lab.ledger.facts import Fact, Kind
from lab.ledger.judge import Fault, Finding


def row(**more: object) -> Figures:
    """Return a row in which all is well, but for what is given."""
    figures = Figures("a fault")
    figures.judged([Fact(1, Kind.ACKNOWLEDGED, "+81"), Fact(2, Kind.INVITE, "+81")], [])
    for name, value in more.items():
        setattr(figures, name, value)
    return figures


def test_a_row_is_good_when_every_zero_is_a_zero() -> None:
    """And something was there to be judged, and control was regained in time."""
    assert row(back_s=4.9).is_good
    assert not row(back_s=5.1).is_good
    assert not row(requests=0).is_good
    assert not row(broken=["the ledger ended"]).is_good
    for fault in Fault:
        assert not row(faults={fault.value: 1}).is_good, fault


def test_an_sms_may_be_missing_only_for_each_death_at_its_hand_over() -> None:
    """One for one death; and nothing else may be missing."""
    assert row(faults={"untold": 1}, untold_allowed=1).is_good
    assert not row(faults={"untold": 2}, untold_allowed=1).is_good
    assert not row(faults={"lost": 1}, untold_allowed=1).is_good


def test_what_the_judge_finds_is_counted_and_told() -> None:
    """With the number and why."""
    figures = Figures("a fault")
    figures.judged([], [Finding(Fault.LOST, "+81801", 5.0, "nothing came of it")])
    assert figures.faults["lost"] == 1
    assert figures.faults["duplicated"] == 0
    assert any("+81801" in note and "nothing came of it" in note for note in figures.notes)


def test_the_table_for_people_has_a_cell_for_each_heading() -> None:
    """Markdown, one line a fault."""
    heading, rule, line = markdown([row(back_s=1.0)]).splitlines()
    assert heading.count("|") == rule.count("|") == line.count("|")
    assert line.startswith("| a fault | 0 | 1 | 1 | 0 | 0 |")


def test_the_rules_of_the_judge_are_those_of_the_settings_that_are_run() -> None:
    """Else the judge would hold them to something else."""
    assert QUICK["[queues]", "max_attempts"] == str(RULES.max_invites)
    assert QUICK["dialer", "max_concurrent_calls"] == str(RULES.max_concurrent)
    assert QUICK["dialer", "calls_per_s"] == f"{RULES.max_per_s:g}"
    text = for_chaos(
        '[[queues]] # x\n[queues.retry_gap_s]  # y\nbusy = 120\nno_answer = 600\n\n[[agents]]\nname = "a"\n'
    )
    assert text.count("= 600") == text.count("= 120") == 0
    assert f"busy = {RULES.gap_s:g}\n" in text
    assert text.index("[[entrances]]") < text.index("[[queues]]")


def test_every_fault_is_done_more_often_in_the_long_run() -> None:
    """And at least once in the short one."""
    assert all(1 <= times <= long_times for _, times, long_times in FAULTS.values())

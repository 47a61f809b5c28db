"""The books in memory, on which whole days are simulated, keep every promise that the database keeps.

They go through the same suites. What is left out is about a file, an engine, or several processes.
"""

from __future__ import annotations

import itertools
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING

import pytest

from tests.contract import (
    test_agent_book,
    test_attempt_evidence,
    test_attempt_wish,
    test_booking_links,
    test_call_log,
    test_caller_memory,
    test_claims,
    test_claims_under_a_lease,
    test_do_not_call,
    test_holds,
    test_lease_book,
    test_number_proofs,
    test_offices,
    test_outbox,
    test_promise_attempts,
    test_promise_book,
    test_promise_moves,
    test_promise_requests,
    test_promise_slots,
    test_sms_breaker,
    test_sms_inbox,
    test_sms_limits,
    test_sms_outdated,
)
from tests.contract.store_under_test import store_at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from controller.store import Store
    from controller.store.agent_book import StoredAgentBook
    from tests.contract.store_under_test import HandClock

SUITES: tuple[ModuleType, ...] = (
    *(
        test_promise_book,
        test_promise_attempts,
        test_promise_requests,
        test_promise_slots,
        test_promise_moves,
        test_claims,
        test_claims_under_a_lease,
        test_offices,
    ),
    *(
        test_attempt_evidence,
        test_attempt_wish,
        test_do_not_call,
        test_holds,
        test_lease_book,
        test_outbox,
        test_agent_book,
        test_call_log,
    ),
    *(
        test_caller_memory,
        test_sms_inbox,
        test_sms_limits,
        test_sms_breaker,
        test_sms_outdated,
        test_booking_links,
        test_number_proofs,
    ),
)
ABOUT_AN_ENGINE: frozenset[str] = frozenset(
    {
        "test_a_time_without_a_zone_is_refused_and_nothing_is_written",
        "test_an_event_that_meets_a_changed_version_is_applied_to_the_promise_as_it_then_is",
        "test_a_promise_that_others_never_stop_changing_is_reported_and_left_alone",
        "test_four_processes_with_a_thousand_bookings_for_ten_places_give_ten",
        "test_a_number_that_got_on_the_list_while_its_promise_was_made_is_not_called",
        "test_an_sms_cannot_be_owed_without_the_database",
        "test_what_is_kept_is_there_after_a_restart_and_for_another_program",
        "test_a_database_without_our_tables_says_what_to_do_and_is_not_changed",
        "test_three_thousand_orphans_and_live_calls_are_no_trouble",
        "test_what_cannot_be_written_is_logged_and_does_not_disturb_the_call",
        "test_orphans_cannot_be_closed_without_the_database",
        "test_a_memory_that_fails_does_not_disturb_the_call",
    }
)
"""Tests of a file's mode or damage, of SQL that is interrupted, or of processes that share a file."""


def suites_tests() -> dict[str, FunctionType]:
    """Return the tests that hold for whatever keeps the books, by name."""
    return {
        name: test
        for suite in SUITES
        for name, test in vars(suite).items()
        if name.startswith("test_") and isinstance(test, FunctionType) and name not in ABOUT_AN_ENGINE
    }


globals().update(suites_tests())


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Return the address of empty books in memory."""
    return f"memory:{tmp_path}"


@pytest.fixture
def fresh_url(tmp_path: Path) -> Callable[[], str]:
    """Return a function that gives the address of other empty books each time."""
    count = itertools.count()
    return lambda: f"memory:{tmp_path}/{next(count)}"


@pytest.fixture
async def store(url: str, clock: HandClock) -> AsyncIterator[Store]:
    """Open them."""
    async with store_at(url, clock) as opened:
        yield opened


@pytest.fixture
def book(store: Store) -> StoredAgentBook:
    """Return the agents' book."""
    return store.agents


def test_what_is_left_out_is_there_to_be_left_out() -> None:
    """A test that was renamed would otherwise be left out for ever, or not at all."""
    names = {name for suite in SUITES for name in vars(suite)}
    assert names >= ABOUT_AN_ENGINE

"""For every test: properties are proved by their truth, not by how quick a busy machine is; the longest files first.

The same commit is tried with the same examples each time, so that green means green. To look for new ones:
`make unit PYTEST=--hypothesis-profile=anew`.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    import pytest

settings.register_profile("anew", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("house", settings.get_profile("anew"), derandomize=True)
settings.load_profile("house")

LONGEST_FIRST = (
    "asterisk/test_sms_replies.py",
    "asterisk/test_sms_sending.py",
    "chaos/test_chaos.py",
    "asterisk/test_callback_races_real.py",
    "asterisk/test_ways_out.py",
    "asterisk/test_on_answer_real.py",
)
"""Files that take minutes. A worker that began one of them last would work on alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files in the order in which workers are to take them: the longest, then those with most tests."""
    here = Path(__file__).parent
    rank = {here / name: place for place, name in enumerate(LONGEST_FIRST)}
    sizes = Counter(item.path for item in items)
    items.sort(key=lambda item: (rank.get(item.path, len(rank)), -sizes[item.path]))

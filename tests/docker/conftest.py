"""Tests of what runs in Docker: `.ci/run` builds and starts it, and then names this folder. Nobody else does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

HERE = Path(__file__).parent


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave this folder out of a run that did not ask for it by name."""
    named = [(config.invocation_params.dir / word.partition("::")[0]).resolve() for word in config.args]
    is_asked_for = any(path == HERE or HERE in path.parents for path in named)
    return None if is_asked_for or HERE not in {collection_path, *collection_path.parents} else True

"""The stack in Docker as the demo runs it: the same log, the same ways to end it, the prompts at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.docker_engine import said
from lab.docker_stack import DockerStack
from lab.stack import any_stack

if TYPE_CHECKING:
    from pathlib import Path

    from lab.controller_process import LogLine


async def test_the_controller_in_docker_is_followed_killed_started_again_and_stopped(tmp_path: Path) -> None:
    """Its log goes on where it was, the second time with a recovery; `docker stop` is an orderly end."""
    heard: list[LogLine] = []
    changes = {("[queues]", "wrap_up_s"): "1"}
    async with any_stack(tmp_path / "home", changes=changes, on_line=heard.append, language="en") as stack:
        assert isinstance(stack, DockerStack)  # ORIKAESHI_STACK=docker was heeded
        assert "wrap_up_s = 1" in stack.settings.read_text("utf-8")
        assert stack.prompts.file("welcome", "en").stat().st_size > 1000
        first = len(stack.controller.lines)
        await stack.controller.kill9()
        await stack.controller.start()
        again = stack.controller.lines[first:]
        assert [line["event"] for line in again].count("in control") == 1
        assert heard == stack.controller.lines
        assert await stack.controller.stop() == 0
    assert await said("docker", "ps", "--all", "--quiet", "--filter", f"volume={tmp_path / 'home'}") == ""

"""Which stack is run, and what is said when Docker cannot do what it was asked."""

from __future__ import annotations

import pytest

from lab.docker_engine import Compose, DockerFailedError, Kind, chosen_kind, said


@pytest.mark.parametrize(
    ("wish", "answers", "kind"),
    [("", True, "docker"), ("", False, "root"), ("root", True, "root"), ("docker", True, "docker")],
)
def test_docker_is_taken_when_it_answers_unless_the_environment_says_otherwise(
    wish: str, kind: Kind, *, answers: bool
) -> None:
    """ORIKAESHI_STACK goes first."""
    assert chosen_kind({"ORIKAESHI_STACK": wish}, can_compose=lambda: answers) == kind


@pytest.mark.parametrize(("wish", "complaint"), [("docker", "no Docker engine"), ("podman", "only docker or root")])
def test_a_stack_that_cannot_be_had_is_refused_with_the_reason(wish: str, complaint: str) -> None:
    """No silent change to the other one: whoever names one wants that one."""
    with pytest.raises(DockerFailedError, match=complaint):
        chosen_kind({"ORIKAESHI_STACK": wish}, can_compose=lambda: False)


async def test_the_last_words_of_a_command_that_failed_are_in_the_message() -> None:
    """What it printed on either stream, and its exit code."""
    with pytest.raises(DockerFailedError, match=r"(?s)exit 3.*half done.*no room on the disc"):
        await said("sh", "-c", "echo half done; echo no room on the disc >&2; exit 3")


async def test_compose_gets_the_project_the_file_and_the_site_in_its_variables() -> None:
    """Seen by a program in the place of compose that prints what it was given."""
    echo = Compose(
        ["sh", "-c", 'echo "$@" "$ORIKAESHI_BIND"', "compose"], "orikaeshi-x", {"ORIKAESHI_BIND": "192.0.2.7"}
    )
    words = (await echo("up", "--detach")).split()
    assert words[:2] == ["--project-name", "orikaeshi-x"]
    assert words[3].endswith("docker/compose.yaml")
    assert words[4:] == ["up", "--detach", "192.0.2.7"]


async def test_a_service_without_a_container_is_named() -> None:
    """An empty answer of compose is no container id."""
    with pytest.raises(DockerFailedError, match="no container for 'controller'"):
        await Compose(["true"], "orikaeshi-x", {}).container("controller")

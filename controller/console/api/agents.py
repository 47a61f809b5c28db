"""Agents over the API: how they are, and what they, or a supervisor, have them do."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from controller.console.api.operation import Ask, Nothing, Operation, Tag
from controller.console.api.problems import FLOOR_KINDS, Kind, Refusal, raise_if
from controller.console.api.shapes import AgentItem, Asked, Frozen, agent_item
from controller.domain.access import Scope
from controller.domain.agents import PAUSE_REASONS

if TYPE_CHECKING:
    from controller.console.house import ConsoleHouse

MOST_WRAP_UP_S = 3600.0


class AgentList(Frozen, frozen=True):
    """The agents."""

    agents: tuple[AgentItem, ...]


class Pause(Asked, frozen=True):
    """Why an agent takes a pause."""

    reason: Annotated[
        str, Meta(min_length=1, max_length=64, description="A word of the reports", examples=[*PAUSE_REASONS.values()])
    ]


class Longer(Asked, frozen=True):
    """How much longer a wrap-up lasts."""

    by_s: Annotated[float, Meta(gt=0, le=MOST_WRAP_UP_S, description="Seconds", examples=[60])]


class Preview(StrEnum):
    """What an agent decides who is shown a promise."""

    DIAL = "dial"
    TO_COLLEAGUE = "to_colleague"
    PUT_OFF = "put_off"


class PreviewChoice(Asked, frozen=True):
    """What is to be done with the promise that is shown."""

    choice: Preview


class Listener(Asked, frozen=True):
    """Which phone hears the talk."""

    endpoint: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}(?!\n)$",
            description="A phone of ours, by its PJSIP endpoint",
            examples=["supervisor-1"],
        ),
    ]


async def list_agents(ask: Ask[Nothing, Nothing]) -> AgentList:
    """Return every agent."""
    return AgentList(agents=tuple(map(agent_item, ask.house.floor.now().agents)))


async def get_agent(ask: Ask[Nothing, Nothing]) -> AgentItem:
    """Return one agent. Raises Refusal."""
    for one in ask.house.floor.now().agents:
        if one.name == ask.path["agent"]:
            return agent_item(one)
    raise Refusal(Kind.NOT_FOUND)


async def sign_in_agent(ask: Ask[Nothing, Nothing]) -> None:
    """Sign an agent in. Raises Refusal."""
    raise_if(await ask.house.floor.sign_in(_agent(ask)))


async def sign_out_agent(ask: Ask[Nothing, Nothing]) -> None:
    """Sign an agent out. Raises Refusal."""
    raise_if(await ask.house.floor.sign_out(_agent(ask)))


async def pause_agent(ask: Ask[Nothing, Pause]) -> None:
    """Pause an agent. Raises Refusal."""
    agent, reason = _agent(ask), ask.body.reason
    if reason not in _reasons(ask.house):
        raise Refusal.at("body.reason", f"has to be one of {', '.join(_reasons(ask.house))}")
    raise_if(await ask.house.floor.pause(agent, reason))


async def unpause_agent(ask: Ask[Nothing, Nothing]) -> None:
    """End an agent's pause. Raises Refusal."""
    raise_if(await ask.house.floor.unpause(_agent(ask)))


async def end_wrap_up(ask: Ask[Nothing, Nothing]) -> None:
    """End an agent's wrap-up. Raises Refusal."""
    raise_if(await ask.house.floor.end_wrap_up(_agent(ask)))


async def extend_wrap_up(ask: Ask[Nothing, Longer]) -> None:
    """Let an agent's wrap-up last longer. Raises Refusal."""
    raise_if(await ask.house.floor.extend_wrap_up(_agent(ask), ask.body.by_s))


async def hang_up(ask: Ask[Nothing, Nothing]) -> None:
    """End the talk of an agent. Raises Refusal."""
    raise_if(await ask.house.floor.hang_up(_agent(ask)))


async def choose_preview(ask: Ask[Nothing, PreviewChoice]) -> None:
    """Choose for an agent who is shown a promise. Raises Refusal."""
    raise_if(await ask.house.floor.preview(_agent(ask), ask.body.choice.value))


async def pause_recording(ask: Ask[Nothing, Nothing]) -> None:
    """Keep nothing of what is said from now on in the talk of an agent. Raises Refusal."""
    raise_if(await ask.house.floor.pause_recording(_agent(ask)))


async def resume_recording(ask: Ask[Nothing, Nothing]) -> None:
    """Record the talk of an agent again. Raises Refusal."""
    raise_if(await ask.house.floor.resume_recording(_agent(ask)))


async def listen(ask: Ask[Nothing, Listener]) -> None:
    """Let a phone hear the talk of an agent. Raises Refusal."""
    if not ask.house.allows_listening:
        raise Refusal(Kind.NOT_NOW, "the settings do not allow it (line.allow_listening)")
    raise_if(await ask.house.floor.listen(ask.path["agent"], ask.body.endpoint))


def _agent(ask: Ask[Nothing, Any]) -> str:
    """Return the agent in the path. Raises Refusal where it is not the business of whoever asks."""
    agent = ask.path["agent"]
    if not ask.who.may_act_for(agent):
        raise Refusal(Kind.NOT_ALLOWED, "an agent acts for themselves alone")
    return agent


def _reasons(house: ConsoleHouse) -> tuple[str, ...]:
    return house.desk.pause_reasons


def _command(
    name: str, handler: Any, summary: str, *, body: Any = Nothing, description: str = ""
) -> Operation[Nothing, Any, None]:
    own = "Agents for themselves (`desk`), and whoever may command the floor for everybody."
    return Operation(
        "POST",
        f"/agents/{{agent}}/{name}",
        handler,
        tag=Tag.AGENTS,
        summary=summary,
        description=f"{own} {description}".strip(),
        answer=type(None),
        scope=Scope.FLOOR_WRITE,
        or_scope=Scope.DESK,
        body=body,
        problems=FLOOR_KINDS,
    )


OPERATIONS: tuple[Operation[Any, Any, Any], ...] = (
    Operation(
        "GET", "/agents", list_agents, tag=Tag.AGENTS, summary="List agents", answer=AgentList, scope=Scope.FLOOR_READ
    ),
    Operation(
        "GET",
        "/agents/{agent}",
        get_agent,
        tag=Tag.AGENTS,
        summary="Show an agent",
        answer=AgentItem,
        scope=Scope.FLOOR_READ,
        problems=(Kind.NOT_FOUND,),
    ),
    _command("sign-in", sign_in_agent, "Sign an agent in"),
    _command("sign-out", sign_out_agent, "Sign an agent out, after the call that they may be on"),
    _command("pause", pause_agent, "Pause an agent, after the call that they may be on", body=Pause),
    _command("unpause", unpause_agent, "End an agent's pause"),
    _command("end-wrap-up", end_wrap_up, "End an agent's wrap-up before its time"),
    _command("extend-wrap-up", extend_wrap_up, "Let an agent's wrap-up last longer", body=Longer),
    _command("hang-up", hang_up, "End the talk that an agent is in", description="The wrap-up follows."),
    _command("preview", choose_preview, "Choose for an agent who is shown a promise", body=PreviewChoice),
    _command(
        "pause-recording",
        pause_recording,
        "Keep nothing of what is said from now on in the talk that an agent is in",
        description="While a customer says the number of a card. Nothing is kept until it is resumed.",
    ),
    _command("resume-recording", resume_recording, "Record the talk that an agent is in again"),
    Operation(
        "POST",
        "/agents/{agent}/listen",
        listen,
        tag=Tag.AGENTS,
        summary="Let a phone of ours hear the talk that an agent is in",
        description="Neither party hears it. Only where the settings allow it.",
        answer=type(None),
        scope=Scope.LISTEN,
        body=Listener,
        problems=FLOOR_KINDS,
    ),
)

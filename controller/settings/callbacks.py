"""How the customers of a queue are called back."""

from typing import Annotated, Literal

from pydantic import Field

from controller.settings.values import Prompt, Seconds, Section

PauseSeconds = Annotated[float, Field(ge=60, le=24 * 3600, allow_inf_nan=False)]


class Callbacks(Section):
    """Who is rung first, and what is done about answering machines."""

    mode: Literal["agent_first", "preview", "customer_first"] = "agent_first"
    """The words are `controller.journeys.house.DialMode`."""
    postpone_s: PauseSeconds = 1800
    """By how much an agent puts a promise off (preview, key 3)."""
    pass_pause_s: Seconds = 600
    """How long an agent who passed a promise on is not asked for it again (preview, key 2)."""
    max_deck_s: Annotated[float, Field(ge=5, le=3600, allow_inf_nan=False)] = 120
    """How long a customer who has confirmed waits for an agent at most (customer_first)."""
    detect_machine: bool = False
    """Listen for an answering machine before anybody speaks; without, a key tells."""
    machine_message: Prompt | None = None
    """The prompt that an answering machine records; None: it gets nothing."""

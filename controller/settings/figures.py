"""How calls are counted, and what is planned for: of the house, and where a queue differs from it."""

from typing import Annotated, Literal

from pydantic import Field

from controller.settings.values import Section

WaitSeconds = Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Staffing(Section):
    """For what `controller staffing` says how many agents are needed. None: as the house has it, else as usual."""

    service_level: Annotated[float, Field(ge=0, le=0.999, allow_inf_nan=False)] | None = None
    """The share of all calls that are answered in the target time (`Figures.answer_within_s`)."""
    abandon_share: Share | None = None
    """At most; 1: whatever comes."""
    asa_s: WaitSeconds | None = None
    """Answered within this on average, at most."""
    occupancy: Annotated[float, Field(ge=0.1, le=1, allow_inf_nan=False)] | None = None
    """At most; 1: whatever comes."""
    patience_s: Annotated[float, Field(ge=1, le=24 * 3600, allow_inf_nan=False)] | None = None
    """The mean; None: as the calls show it."""
    shrinkage: Annotated[float, Field(ge=0, le=0.9, allow_inf_nan=False)] | None = None
    """The share of paid time that is spent otherwise: breaks, training, leave."""


class Figures(Section):
    """How calls are counted. None: as the house has it, else as `controller.domain.figure_facts.Counting`."""

    answer_within_s: WaitSeconds | None = None
    """The service level's target time."""
    short_abandon_s: WaitSeconds | None = None
    """Who hangs up sooner is counted apart; 0: nobody is."""
    clock_start: Literal["arrival", "line"] | None = None
    """The words are `controller.domain.figure_facts.ClockStart`."""
    staffing: Staffing = Field(default_factory=Staffing)

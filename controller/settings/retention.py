"""How long what is known of people is kept."""

from typing import Annotated

from pydantic import Field

from controller.domain.retention import Periods
from controller.settings.values import Section

Days = Annotated[int, Field(ge=0, le=3650)]
_USUAL = Periods()


class Retention(Section):
    """Days; 0: for ever. What the figures are made of (ids, instants, endings) stays in any case."""

    numbers_days: Days = _USUAL.numbers_days
    """Phone numbers of calls and promises. Those of calls that we placed: 31 at least, since caps count 30."""
    recordings_days: Days = _USUAL.recordings_days
    """Recordings of talks, and whose they were."""
    notes_days: Days = _USUAL.notes_days
    """What agents wrote of a talk."""
    sms_days: Days = _USUAL.sms_days
    """Whom an SMS went to, and the text of replies."""
    audit_days: Days = _USUAL.audit_days
    """Who did what."""
    hooks_days: Days = _USUAL.hooks_days
    """What webhooks were told, from when they were told."""

    @property
    def periods(self) -> Periods:
        """The same, as the house knows it."""
        return Periods(
            numbers_days=self.numbers_days,
            recordings_days=self.recordings_days,
            notes_days=self.notes_days,
            sms_days=self.sms_days,
            audit_days=self.audit_days,
            hooks_days=self.hooks_days,
        )

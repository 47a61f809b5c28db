"""SMS: who carries them, under whose name, to whom, and how many of them."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from controller.domain.sms_limits import Breaker as DomainBreaker
from controller.domain.sms_limits import SmsLimits
from controller.settings.calling import Count, Money
from controller.settings.sms_json import JsonHttp
from controller.settings.sms_providers import Smpp, Twilio, Vonage
from controller.settings.values import Country, Prefix, Section, SmsSender, file_beside

_MILLI = 1000


class SmsTariff(Section):
    """What an SMS to a prefix costs; of several that fit the longest counts."""

    prefix: Prefix
    per_segment: Money


class SmsBreaker(Section):
    """When no more codes are sent because too few of them are used (`controller.domain.sms_limits.Breaker`)."""

    enabled: bool = True
    window_s: Annotated[float, Field(ge=60, le=24 * 3600, allow_inf_nan=False)] = 3600
    min_sent: Annotated[int, Field(ge=2, le=100_000)] = 20
    min_rate: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 0.2
    range_digits: Annotated[int, Field(ge=1, le=15)] = 6


class Sms(Section):
    """How text messages leave."""

    gateway: Literal["log", "twilio", "vonage", "json_http", "smpp"] = "log"
    sender: SmsSender | None = None
    """A number, or up to 11 letters and digits; None: dialer.caller_id. A queue may have one of its own."""
    outbox_path: Annotated[Path, BeforeValidator(file_beside), Field(validate_default=True)] = Path("sms-outbox.jsonl")
    retry_limit: Annotated[int, Field(ge=1, le=100)] = 12
    countries: Annotated[tuple[Country, ...], Field(min_length=1)] | None = None
    """None: those of [dialer]."""
    max_per_number: Count = 10
    """In any 24 hours, over all queues; so are the next two."""
    max_per_prefix: dict[Prefix, Count] = Field(default_factory=dict)
    max_cost: Money | None = None
    tariffs: tuple[SmsTariff, ...] = ()
    breaker: SmsBreaker = SmsBreaker()
    twilio: Twilio | None = None
    vonage: Vonage | None = None
    json_http: JsonHttp | None = None
    smpp: Smpp | None = None

    @property
    def limits(self) -> SmsLimits:
        """The limits as the domain counts them."""
        breaker = DomainBreaker(**self.breaker.model_dump(exclude={"enabled"})) if self.breaker.enabled else None
        return SmsLimits(
            per_number=self.max_per_number,
            per_prefix=dict(self.max_per_prefix),
            max_cost_milli=None if self.max_cost is None else round(self.max_cost * _MILLI),
            breaker=breaker,
        )

    @property
    def tariffs_milli(self) -> dict[str, int]:
        """What one segment costs, in thousandths, by E.164 prefix; of several that fit the longest counts."""
        return {one.prefix: round(one.per_segment * _MILLI) for one in self.tariffs}

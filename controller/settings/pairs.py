"""Settings of a queue that mean something only together with another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from controller.settings.raw import Finding, table, tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from controller.settings.toml_lines import Path

_LIMITS = (("max_wait_s", "on_max_wait"), ("max_length", "on_full"), ("overflow_wait_s", "on_overflow"))


def pair_mistakes(raw: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield (place, message) for each setting that misses its other half."""
    for index, queue in tables(raw, "queues"):
        here: Path = ("queues", index)
        limits = table(queue, "limits")
        for limit, leads_to in _LIMITS:
            if limit in limits and leads_to not in limits:
                yield (*here, "limits", limit), f"needs {leads_to}: where do callers go then?"
            if leads_to in limits and limit not in limits:
                yield (*here, "limits", leads_to), f"needs {limit}: without it, this never happens"
        if "on_closed" in limits and "hours" not in queue:
            yield (*here, "limits", "on_closed"), "needs [queues.hours]: without them the queue is always open"
        announcements = table(queue, "announcements")
        if "offer_wait_s" in announcements and announcements.get("offer") != "by_wait":
            yield (*here, "announcements", "offer_wait_s"), 'needs offer = "by_wait": else nobody looks at the wait'
        if "recapture_after_s" in queue and queue.get("recapture_sms") is not True:
            yield (*here, "recapture_after_s"), "needs recapture_sms = true: else nobody is sent an SMS"

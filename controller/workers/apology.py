"""What is said to somebody whose call has failed by our own mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from controller.ports.calls import CallerHungUp, PbxUnavailableError

if TYPE_CHECKING:
    from controller.ports.calls import Call

log = structlog.get_logger(__name__)


async def apologise(call: Call, prompt: str) -> None:
    """Play a prompt if it can be played. What broke the call may break this too: whoever asks ends it all the same."""
    try:
        await call.play(prompt)
    except (CallerHungUp, PbxUnavailableError) as reason:
        log.info("there was nobody to apologise to", reason=type(reason).__name__)
    except Exception:
        log.exception("the apology failed")

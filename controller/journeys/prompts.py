"""The prompts that journeys play, by their ids in asterisk-conf/prompts/catalogue.tsv."""

from __future__ import annotations

WELCOME = "welcome"
HOLD_OFFER = "hold-offer"
OFFER = "offer"
OFFER_CALLING_NUMBER = "offer-calling-number"
USE_THIS_NUMBER = "use-this-number"
ENTER_NUMBER = "enter-number"
YOU_ENTERED = "you-entered"
CONFIRM_NUMBER = "confirm-number"
NUMBER_INVALID = "number-invalid"
NUMBER_NOT_ALLOWED = "number-not-allowed"
NOTHING_HEARD = "nothing-heard"
PROMISE_MADE = "promise-made"
PROMISE_EXISTS = "promise-exists"
PROMISE_FAILED = "promise-failed"
BACK_TO_HOLD = "back-to-hold"
CALLBACK_GREETING = "callback-greeting"
CALLBACK_CONFIRM = "callback-confirm"
CONNECTING = "connecting"
CANCELLED = "cancelled"
PLEASE_WAIT = "please-wait"
APOLOGY = "apology"
GOODBYE = "goodbye"
AGENT_WHISPER = "agent-whisper"
AGENT_NO_ANSWER = "agent-no-answer"

PAUSE = "digit-pause"

ALL = frozenset(value for name, value in globals().items() if name.isupper() and isinstance(value, str)) | {
    f"digit-{digit}" for digit in "0123456789"
}
"""Every prompt there must be, in every language; checked at start, not in a call."""


def spoken_number(printed: str) -> list[str]:
    """Return the prompts that read a number back: digit by digit, a pause where `090-1234-5678` has its hyphens."""
    groups = "".join(character if character.isdigit() else " " for character in printed).split()
    spoken = [[f"digit-{digit}" for digit in group] for group in groups]
    return [prompt for index, group in enumerate(spoken) for prompt in ([PAUSE] if index else []) + group]

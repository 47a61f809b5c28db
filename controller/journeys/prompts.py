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
CALLBACK_WITHDRAWN = "callback-withdrawn"
DECK_OVER = "deck-over"
PLEASE_WAIT = "please-wait"
APOLOGY = "apology"
GOODBYE = "goodbye"
AGENT_WHISPER = "agent-whisper"
AGENT_NO_ANSWER = "agent-no-answer"
AGENT_WITHDRAWN = "agent-withdrawn"
AGENT_WHISPER_WAITING = "agent-whisper-waiting"
WHISPER_NUMBER_BEFORE = "whisper-number-before"
WHISPER_WAIT_BEFORE = "whisper-wait-before"
WHISPER_WAIT_LONG = "whisper-wait-long"
PREVIEW_MENU = "preview-menu"
PREVIEW_PASSED = "preview-passed"
PREVIEW_POSTPONED = "preview-postponed"
AGENT_COLLEAGUE = "agent-colleague"
AGENT_MAY_NOT_DIAL = "agent-may-not-dial"
AGENT_MACHINE = "agent-machine"
AGENT_DECLINED = "agent-declined"
AGENT_POSTPONED = "agent-postponed"
REDIAL_DIALLING = "redial-dialling"
REDIAL_NONE = "redial-none"
REDIAL_BAD_NUMBER = "redial-bad-number"

# A customer who was called back, and wants to be called later
LATER_CHOOSE = "later-choose"
LATER_10 = "later-10"
LATER_20 = "later-20"
LATER_30 = "later-30"
LATER_40 = "later-40"
LATER_50 = "later-50"
LATER_60 = "later-60"
LATER_70 = "later-70"
LATER_80 = "later-80"
LATER_90 = "later-90"
LATER_CONFIRM = "later-confirm"
LATER_NEXT_HOURS = "later-next-hours"
LATER_GOODBYE = "later-goodbye"

# The menu
WRONG_KEY = "wrong-key"
NO_KEY = "no-key"
LANGUAGE_SET = "language-set"
TRANSFERRING = "transferring"
TRANSFER_FAILED = "transfer-failed"
URGENT_CONNECTING = "urgent-connecting"

# Web guidance: the address of a page by SMS
SMS_OFFER = "sms-offer"
SMS_CONFIRM = "sms-confirm"
SMS_SENT = "sms-sent"
SMS_NEEDS_MOBILE = "sms-needs-mobile"
SMS_FAILED = "sms-failed"

# In line
PLACE_BEFORE = "place-before"
PLACE_AFTER = "place-after"
PLACE_MANY = "place-many"
NEXT_IN_LINE = "next-in-line"
WAIT_BEFORE = "wait-before"
WAIT_TO = "wait-to"
WAIT_AFTER = "wait-after"
WAIT_SHORT = "wait-short"
WAIT_MOST_BEFORE = "wait-most-before"
WAIT_MOST_AFTER = "wait-most-after"
WAIT_LONG = "wait-long"
WAIT_UNKNOWN = "wait-unknown"
OFFER_SHORT = "offer-short"
MAX_WAIT = "max-wait"
LINE_FULL = "line-full"
NO_AGENTS = "no-agents"

# Recording of talks
RECORDING_NOTICE = "recording-notice"
RECORDING_ASK = "recording-ask"

# Outside opening hours
CLOSED = "closed"
CLOSED_HOLIDAY = "closed-holiday"
CLOSING_SOON = "closing-soon"
CLOSED_OFFER = "closed-offer"
OPENS_BEFORE = "opens-before"
OPENS_AFTER = "opens-after"

# Leaving a number: why another one is needed
NUMBER_TOO_SHORT = "number-too-short"
NUMBER_FREEPHONE = "number-freephone"
NUMBER_NAVI = "number-navi"
NUMBER_PREMIUM = "number-premium"
NUMBER_ABROAD = "number-abroad"
NUMBER_HIDDEN = "number-hidden"
NUMBER_INTERNAL = "number-internal"
NUMBER_TRIES_OVER = "number-tries-over"
CALL_AGAIN = "call-again"

# When to be called
WHEN_MENU = "when-menu"
CHOOSE_DAY = "choose-day"
CHOOSE_TIME = "choose-time"
MORE_SLOTS = "more-slots"
EARLIER_CHOICE = "earlier-choice"
NO_MORE_SLOTS = "no-more-slots"
NO_SLOTS = "no-slots"
SLOT_TAKEN = "slot-taken"
SLOT_BEFORE = "slot-before"
SLOT_AFTER = "slot-after"
PROMISE_ASAP_OPENING = "promise-asap-opening"
PROMISE_MOVED = "promise-moved"

# Ringing back while a promise is open
WELCOME_BACK = "welcome-back"

# Agents, by phone
AGENT_MENU = "agent-menu"
AGENT_PIN = "agent-pin"
AGENT_PIN_WRONG = "agent-pin-wrong"
AGENT_LOCKED = "agent-locked"
AGENT_SIGNED_IN = "agent-signed-in"
AGENT_SIGNED_OUT = "agent-signed-out"
AGENT_PAUSE_MENU = "agent-pause-menu"
AGENT_PAUSED = "agent-paused"
AGENT_UNPAUSED = "agent-unpaused"
AGENT_WRAP_UP_OVER = "agent-wrap-up-over"
AGENT_NOT_POSSIBLE = "agent-not-possible"
AGENT_UNKNOWN = "agent-unknown"

# Words, said in a row
PAUSE = "digit-pause"
TODAY = "today"
TOMORROW = "tomorrow"
LATER_DAY = "later-day"
AT = "at"
FROM = "from"
TO = "to"
AM = "am"
PM = "pm"
NOON = "noon"

MINUTES = range(1, 61)
PLACES = range(1, 61)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

WORDS = frozenset(
    f"{kind}-{value}"
    for kind, values in {
        "digit": range(10),
        "press": range(1, 10),
        "minute": MINUTES,
        "place": PLACES,
        "month": range(1, 13),
        "day": range(1, 32),
        "weekday": WEEKDAYS,
        "hour": range(12),
        "clock": range(1, 60),
    }.items()
    for value in values
)
"""What is counted, one prompt for each value. Which of them make up a number, a time, a wait: `spoken`."""

ALL = WORDS | {value for name, value in globals().items() if name.isupper() and isinstance(value, str)}
"""Every prompt there must be, in every language; checked at start, not in a call.

What a settings file names besides, such as the texts of a menu, is added to it: `ALL | frozenset(named)`.
"""

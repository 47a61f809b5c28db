"""Where a call can go next, as the settings write it: a table with one word, `{ queue = "support" }`."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import PlainValidator

from controller.domain.menu import (
    DESTINATIONS,
    ONLY_IN_MENUS,
    CallOut,
    Destination,
    JoinQueue,
    JoinUrgently,
    LeaveNumber,
    OpenMenu,
    Repeat,
    SayGoodbye,
    SwitchLanguage,
    TextBookingLink,
    TextPage,
)
from controller.settings.mistakes import nearest
from controller.settings.values import language, name, prompt

_WORDS = ", ".join(DESTINATIONS)
_EXAMPLE = '{ queue = "support" }'
_NUMBER_LENGTHS = range(3, 21)
_WORD_OF = {kind: word for word, kind in DESTINATIONS.items()}


def _external(text: str) -> str:
    digits = text.removeprefix("+")
    if not (digits.isascii() and digits.isdecimal() and len(text) in _NUMBER_LENGTHS):
        raise ValueError('must be a phone number: 3 to 20 digits, as "0398765432"')
    return text


_NAMED: Mapping[str, tuple[Callable[[str], Destination], Callable[[str], str]]] = {
    "queue": (JoinQueue, name),
    "urgent": (JoinUrgently, name),
    "callback": (LeaveNumber, name),
    "menu": (OpenMenu, name),
    "web_page": (TextPage, name),
    "booking_link": (TextBookingLink, name),
    "external": (CallOut, _external),
    "message": (SayGoodbye, prompt),
    "language": (SwitchLanguage, language),
}
"""What each word makes, and what its value must be."""


def parse_destination(given: Any) -> Destination:
    """Return the destination that a table of the settings means. Raises ValueError, for a person."""
    if not isinstance(given, dict):
        raise ValueError(f"must be a table with one destination, as {_EXAMPLE}")  # noqa: TRY004 - pydantic's way
    if not given:
        raise ValueError(f"has no destination: write one, as {_EXAMPLE} (known are {_WORDS})")
    for word in given:
        if word not in DESTINATIONS:
            hint = nearest(word, DESTINATIONS) or f"; known are {_WORDS}"
            raise ValueError(f'"{word[:40]}" is not a destination{hint}')
    if len(given) > 1:
        both = " and ".join(f'"{word}"' for word in given)
        raise ValueError(f"has {len(given)} destinations, {both}: a call can go one way only")
    ((word, value),) = given.items()
    if word not in _NAMED:
        if value is not True:
            raise ValueError("must be { repeat = true }; for a key that does nothing, leave it out")
        return Repeat()
    make, check = _NAMED[word]
    if not isinstance(value, str):
        written = value if isinstance(value, int) and not isinstance(value, bool) else "..."
        raise ValueError(f'must be text in quotes: {{ {word} = "{written}" }}')  # noqa: TRY004 - pydantic's way
    try:
        return make(check(value))
    except ValueError as error:
        raise ValueError(f"{word} {error}") from None


def parse_onward(given: Any) -> Destination:
    """Return a destination that leads away from where the call is. Raises ValueError, for a person."""
    destination = parse_destination(given)
    if type(destination) in ONLY_IN_MENUS:
        word = word_of(destination)
        raise ValueError(f'"{word}" can only stand behind a key of a menu')
    return destination


def word_of(destination: Destination) -> str:
    """Return the word of the settings for a kind of destination."""
    return _WORD_OF[type(destination)]


Answer = Annotated[Destination, PlainValidator(parse_destination)]
"""What a key of a menu leads to."""
Onward = Annotated[Destination, PlainValidator(parse_onward)]
"""Where an entrance, an overflow, or a caller without a key goes."""

"""What can go wrong with AMI. Every message is one line that says what happened, where, and what to do."""

from __future__ import annotations


class AmiError(Exception):
    """AMI is of no use now; trying again later may help."""


class AmiUnreachableError(AmiError):
    """Nothing that speaks AMI answers at that address."""


class AmiConnectionLostError(AmiError):
    """A connection that worked is gone, or was dropped because it no longer worked."""


class AmiRefusedError(AmiError):
    """Asterisk answers, and says no: a person must change a setting. Worth trying again only slowly."""


class AmiLoginRefusedError(AmiRefusedError):
    """Asterisk refused the username or the secret."""


class AmiActionForbiddenError(ValueError):
    """An action that is not on the list of those that may be sent; a bug in the caller."""

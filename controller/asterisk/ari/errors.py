"""What can go wrong between us and ARI, sorted by what the caller of a request must do about it."""
# ruff: noqa: N818 - the prefix already says what these are; AriNotFoundError would say it twice

from __future__ import annotations

from http import HTTPStatus


class AriError(Exception):
    """Every failure of an ARI request or of the connection is one of these."""


class AriRefused(AriError):
    """Asterisk answered with a 4xx: nothing was done, and the same request will be refused again.

    `status` is the HTTP status, `reason` is Asterisk's own sentence.
    """

    def __init__(self, method: str, uri: str, status: int, reason: str) -> None:
        super().__init__(f"Asterisk refused {method} {uri}: {status} {reason}")
        self.status = status
        self.reason = reason


class AriNotFound(AriRefused):
    """404: no such channel, bridge, playback or application; mostly, it is gone by now."""


class AriConflict(AriRefused):
    """409: the id is taken by a living object, or the channel is not in a Stasis application."""


class AriUnprocessable(AriRefused):
    """412 or 422: the object exists, but its state does not allow this."""


class AriForbidden(AriRefused):
    """403: the ARI user may only read."""


class AriFailed(AriRefused):
    """5xx: Asterisk tried and failed; for an originate, the endpoint is unknown or unreachable."""


class AriUnauthorized(AriError):
    """401: user name or password are wrong. Waiting does not help."""

    def __init__(self, username: str, base_url: str) -> None:
        super().__init__(
            f"Asterisk at {base_url} refuses the ARI user {username!r}: user name or password is wrong. "
            f"Compare the password with section [{username}] of ari.conf on the PBX, then run "
            "'module reload res_ari.so' there."
        )


class AriUnanswered(AriError):
    """No answer came. `maybe_executed` tells whether Asterisk may have carried the request out.

    A request with an effect that must not happen twice (an originate) is never repeated when it is True:
    look for its channel id first.
    """

    def __init__(self, method: str, uri: str, why: str, *, maybe_executed: bool) -> None:
        outcome = "it may have been carried out" if maybe_executed else "it was not sent"
        super().__init__(f"No answer to {method} {uri}: {why}; {outcome}")
        self.maybe_executed = maybe_executed


class AriTimeout(AriUnanswered):
    """The answer did not come in time."""


class AriDisconnected(AriUnanswered):
    """There is no connection, or it was lost before the answer came."""


class AriReplaced(AriError):
    """Another client took over the application name: it gets the events now, and we stand aside."""

    def __init__(self, app: str) -> None:
        super().__init__(
            f"Another controller took over the ARI application {app!r}. This one leaves its calls to it and stands by. "
            "If that is no second start of this one, give each its own application name."
        )


class AriVersionTooOld(AriError):
    """This Asterisk lacks fixes that the controller relies on."""

    def __init__(self, found: str, needed: str) -> None:
        super().__init__(f"Asterisk {found} is too old: {needed} or newer is needed (security fixes in ARI).")


_BY_STATUS: dict[int, type[AriRefused]] = {
    HTTPStatus.FORBIDDEN: AriForbidden,
    HTTPStatus.NOT_FOUND: AriNotFound,
    HTTPStatus.CONFLICT: AriConflict,
    HTTPStatus.PRECONDITION_FAILED: AriUnprocessable,
    HTTPStatus.UNPROCESSABLE_ENTITY: AriUnprocessable,
}


def refusal(method: str, uri: str, status: int, reason: str) -> AriRefused:
    """Return the exception for an answer with a status of 400 or more."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return AriFailed(method, uri, status, reason)
    return _BY_STATUS.get(status, AriRefused)(method, uri, status, reason)

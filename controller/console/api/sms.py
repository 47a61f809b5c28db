"""SMS over the API: what was sent, and what was answered."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from controller.console.api.operation import Ask, Nothing, Operation, Tag
from controller.console.api.problems import Kind, Refusal
from controller.console.api.shapes import Asked, At, Frozen, Limit, NumberShown, PhoneNumber, PrintedNumber, printed
from controller.domain.access import Scope
from controller.domain.phone_number import as_e164
from controller.domain.sms import SmsStatus
from controller.logs import hide_numbers


class OfSms(Asked, frozen=True):
    """Which SMS."""

    status: SmsStatus | None = None
    number: Annotated[PhoneNumber | None, Meta(description="To one number; takes numbers:read, too")] = None
    limit: Limit = 50


class SmsItem(Frozen, frozen=True):
    """An SMS of ours."""

    key: Annotated[str, Meta(description="What it is for; there is one of each")]
    number: NumberShown
    template: str
    queue: str
    status: SmsStatus
    queued_at: At
    settled_at: Annotated[At | None, Meta(description="When it came to stand so; null: queued, or being sent")]
    tries: int
    error: str
    promise_id: str | None


class SmsList(Frozen, frozen=True):
    """SMS of ours, the newest first."""

    sms: tuple[SmsItem, ...]


class OfReplies(Asked, frozen=True):
    """Which replies."""

    needs_person: Annotated[bool, Meta(description="Only those that a person has to look at")] = False
    limit: Limit = 50


class ReplyItem(Frozen, frozen=True):
    """An SMS that somebody sent to us."""

    received_at: At
    number: NumberShown
    printed: PrintedNumber
    text: Annotated[str, Meta(description="As a stranger wrote it")]
    meaning: Annotated[str | None, Meta(description="What it was taken for; null: nobody has acted on it yet")]
    needs_person: bool
    handled_at: At | None


class ReplyList(Frozen, frozen=True):
    """Replies, the newest first."""

    replies: tuple[ReplyItem, ...]


async def list_sms(ask: Ask[OfSms, Nothing]) -> SmsList:
    """Return SMS of ours. Raises Refusal, StoreUnavailableError."""
    asked, number = ask.query, None
    may_read = ask.who.may(Scope.NUMBERS_READ)
    if asked.number is not None:
        if not may_read:
            raise Refusal(Kind.NOT_ALLOWED, "to look for a number takes numbers:read")
        number = as_e164(asked.number, ask.house.plan.home)
        if number is None:
            raise Refusal.at("query.number", "is no phone number")
    statuses = [*SmsStatus] if asked.status is None else [asked.status]
    found = await ask.house.store.sms_listing.listed(statuses, asked.limit, number)
    return SmsList(
        sms=tuple(
            SmsItem(
                key=one.key if may_read else hide_numbers(one.key),
                number=ask.shown(one.number),
                template=one.template,
                queue=one.queue,
                status=one.status,
                queued_at=one.queued_at,
                settled_at=one.settled_at,
                tries=one.tries,
                error=one.error if may_read else hide_numbers(one.error),
                promise_id=one.promise_id,
            )
            for one in found
        )
    )


async def list_replies(ask: Ask[OfReplies, Nothing]) -> ReplyList:
    """Return replies. Raises StoreUnavailableError."""
    may_read = ask.who.may(Scope.NUMBERS_READ)
    found = await ask.house.store.sms_listing.replies(needs_person_only=ask.query.needs_person, limit=ask.query.limit)
    return ReplyList(
        replies=tuple(
            ReplyItem(
                received_at=one.received_at,
                number=ask.shown(one.number),
                printed=ask.shown(printed(one.number, ask.house.plan.home)) or "",
                text=one.text if may_read else hide_numbers(one.text),
                meaning=one.meaning,
                needs_person=one.needs_person,
                handled_at=one.handled_at,
            )
            for one in found
        )
    )


OPERATIONS = (
    Operation(
        "GET",
        "/sms",
        list_sms,
        tag=Tag.SMS,
        summary="List SMS of ours, the newest first",
        answer=SmsList,
        scope=Scope.SMS_READ,
        query=OfSms,
    ),
    Operation(
        "GET",
        "/sms/replies",
        list_replies,
        tag=Tag.SMS,
        summary="List what people sent to us, the newest first",
        answer=ReplyList,
        scope=Scope.SMS_READ,
        query=OfReplies,
    ),
)

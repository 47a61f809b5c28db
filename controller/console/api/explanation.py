"""One promise's story over the API, with reasons, in Japanese or English: what `controller explain` tells."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from controller.console.api.booking import callable_from
from controller.console.api.operation import Ask, Nothing, Operation, Tag
from controller.console.api.problems import Kind
from controller.console.api.promise_shapes import Explanation, StoryLine, WhatNext, promise_item
from controller.console.api.promises import kept
from controller.console.api.shapes import Asked
from controller.domain.access import Scope
from controller.domain.comes_next import comes_next
from controller.domain.figure_rows import Language
from controller.domain.story_ja import comes_next_ja, timeline_ja
from controller.domain.timeline import timeline
from controller.logs import hide_numbers

if TYPE_CHECKING:
    from collections.abc import Callable


class OfStory(Asked, frozen=True):
    """How the story is told."""

    language: Annotated[Language, Meta(description="In which the lines are")] = Language.EN


async def explain_promise(ask: Ask[OfStory, Nothing]) -> Explanation:
    """Return a promise's story. Raises Refusal, StoreUnavailableError."""
    house, language, now = ask.house, ask.query.language, ask.house.now
    one = await kept(house, ask.path["promise"])
    book = house.store.promise_list
    history = await book.history(one.promise.id)
    promise, policy = history.promise, book.policy(one.promise.queue)
    lines = timeline_ja(history, policy) if language is Language.JA else timeline(history, policy)
    opens_at = partial(callable_from, house, promise.queue, promise.number)
    # In a thread: hours that never come are looked for in many places.
    after = await asyncio.to_thread(comes_next, promise, now, policy, opens_at)
    told = comes_next_ja(promise, after, now, policy) if language is Language.JA else after.lines
    # What a gateway wrote may hold a number.
    shown: Callable[[str], str] = str if ask.who.may(Scope.NUMBERS_READ) else hide_numbers
    return Explanation(
        promise=promise_item(one, ask.shown),
        language=language.value,
        timeline=tuple(StoryLine(at=line.at, what=shown(line.what), why=shown(line.why)) for line in lines),
        next=WhatNext(
            lines=tuple(told),
            not_before=after.not_before,
            callable_from=after.callable_from,
            attempts_left=after.attempts_left,
            calls_left=after.calls_left,
            expires_at=after.expires_at,
        ),
    )


OPERATIONS = (
    Operation(
        "GET",
        "/promises/{promise}/explanation",
        explain_promise,
        tag=Tag.PROMISES,
        summary="Tell the story of a promise, with reasons",
        description="The reasons are those of the policy as it is now.",
        answer=Explanation,
        scope=Scope.PROMISES_READ,
        query=OfStory,
        problems=(Kind.NOT_FOUND,),
    ),
)

"""The reply desk, in virtual time on the real store and journey: every reply is acted on, once, whatever fails."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest

from controller.journeys.sms_reply import Settled, answer
from controller.ports.sms import IncomingSms
from controller.workers.reply_desk import RETRY_S, ReplyDesk
from tests.journeys.virtual_time import Watched
from tests.journeys.writing import Writing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from controller.journeys.house import House
    from controller.ports.sms import Reply, SmsInbox
    from tests.journeys.scene import Scene

NUMBER, OTHER = "+819012345678", "+819087654321"


class Stuck:
    """An inbox in front of which a process dies: it waits for ever for the answer to one method."""

    def __init__(self, inbox: SmsInbox, method: str) -> None:
        self._inbox = inbox
        self._method = method

    def __getattr__(self, name: str) -> Any:
        return self._never if name == self._method else getattr(self._inbox, name)

    async def _never(self, *_args: object, **_kwargs: object) -> None:
        await asyncio.Event().wait()


class Counted:
    """An inbox that counts how often it is looked through."""

    def __init__(self, inbox: SmsInbox) -> None:
        self._inbox = inbox
        self.looks = 0

    def __getattr__(self, name: str) -> Any:
        self.looks += name == "unhandled"
        return getattr(self._inbox, name)


class Post:
    """A scene with a reply desk, and people who write to it."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.theatre = scene.theatre
        self.inbox = cast("SmsInbox", Watched(self.theatre.store.inbox, self.theatre.loop, scene.pbx.transaction))
        self._desk: ReplyDesk | None = None
        self._task: asyncio.Task[None] | None = None

    def open(
        self, act: Callable[[Reply, House, SmsInbox], Awaitable[Settled]] = answer, *, inbox: SmsInbox | None = None
    ) -> None:
        """Begin to act on replies."""
        desk = self._desk = ReplyDesk(inbox or self.inbox, self.scene.house, act)
        self.theatre.store.replied.append(desk.wake)

        def begin() -> None:
            self._task = self.theatre.loop.create_task(desk.run())

        self.scene.do(begin)
        self.scene.pass_s(0.1)

    @property
    def desk(self) -> ReplyDesk:
        """The desk that was opened last."""
        assert self._desk is not None
        return self._desk

    def close(self) -> None:
        """Be gone, where it stands."""
        self.theatre.store.replied.clear()
        if self._task is not None:
            self._task.cancel()
            self.scene.pass_s(0.01)

    def writes(self, text: str, *, event_id: str = "e1", number: str = NUMBER) -> None:
        """Have somebody write; the provider has its 200 when this returns."""
        incoming = IncomingSms("twilio", event_id, number, "+81312345678", text)
        self.theatre.outside(self.theatre.store.inbox.note_reply(incoming, self.theatre.clock.now()))

    def settled(self) -> list[tuple[str | None, bool]]:
        """Return what each reply was taken for, and whether a person is to look at it, oldest first."""
        return [
            (meaning, bool(person))
            for meaning, person in self.theatre.sql("SELECT meaning, needs_person FROM sms_replies ORDER BY id")
        ]

    def texts(self) -> list[str]:
        """Return the templates of all SMS that are owed now, oldest first."""
        found = self.theatre.sql("SELECT template FROM sms_outbox WHERE status = 'queued' ORDER BY id")
        return [template for (template,) in found]


@pytest.fixture
def post(open_scene: Callable[..., Scene]) -> Iterator[Post]:
    """Open a scene in which two numbers hold a promise, and got an SMS."""
    opened = Post(open_scene())
    for number in (NUMBER, OTHER):
        opened.scene.promised(number)
        Writing(opened.scene).texted(number)
    yield opened
    opened.close()


def test_a_reply_is_acted_on_the_moment_that_it_is_written_down(post: Post) -> None:
    """Woken by the store, without a timer."""
    post.open()
    post.writes("キャンセル")
    post.scene.pass_s(0.5)
    assert post.settled() == [("cancel", False)]
    assert [each.state.value for each in post.scene.promises()] == ["cancelled", "waiting"]


def test_what_was_written_before_the_start_is_acted_on_at_the_start_in_order(post: Post) -> None:
    """Cancelled and then asked for anew is not the same as the other way round."""
    post.writes("cancel", event_id="e1")
    post.writes("今すぐ", event_id="e2")
    post.open()
    post.scene.pass_s(1)
    assert post.settled() == [("cancel", False), ("now", False)]
    assert sorted(each.state.value for each in post.scene.promises()) == ["cancelled", "waiting", "waiting"]


def test_one_bad_reply_stops_no_other_and_ends_with_a_person(post: Post) -> None:
    """It is tried three times, a while apart."""
    tries: list[float] = []

    async def act(reply: Reply, house: House, inbox: SmsInbox) -> Settled:
        if reply.incoming.event_id == "bad":
            tries.append(house.clock.now().timestamp())
            raise RuntimeError("a mistake in a journey")
        return await answer(reply, house, inbox)

    post.writes("boom", event_id="bad")
    post.writes("cancel", event_id="good", number=OTHER)
    post.open(act)
    post.scene.pass_s(0.5)
    assert post.settled() == [(None, False), ("cancel", False)]
    post.scene.pass_s(RETRY_S * 3)
    assert post.settled() == [("failed", True), ("cancel", False)]
    assert [round(later - tries[0]) for later in tries] == [0, RETRY_S, 2 * RETRY_S]


def test_a_reply_that_could_be_acted_on_at_the_second_try_needs_nobody(post: Post) -> None:
    """And is not looked for ever after."""
    tries: list[str] = []

    async def act(reply: Reply, house: House, inbox: SmsInbox) -> Settled:
        tries.append(reply.incoming.event_id)
        if len(tries) == 1:
            raise RuntimeError("a mistake in a journey")
        return await answer(reply, house, inbox)

    inbox = Counted(post.inbox)
    post.open(act, inbox=cast("SmsInbox", inbox))
    post.writes("cancel")
    post.scene.pass_s(RETRY_S + 1)
    assert post.settled() == [("cancel", False)]
    looks = inbox.looks
    post.scene.pass_s(600)
    assert tries == ["e1", "e1"]
    assert inbox.looks == looks


def test_a_database_that_is_away_is_waited_for_and_is_no_mistake_of_the_reply(post: Post) -> None:
    """However long it takes."""
    post.writes("cancel")
    with post.theatre.database_locked():
        post.open()
        post.scene.pass_s(300)
    assert post.settled() == [(None, False)]
    post.scene.pass_s(60)
    assert post.settled() == [("cancel", False)]


def test_the_desk_has_caught_up_only_when_what_was_left_is_acted_on(post: Post) -> None:
    """Before it nobody is called or texted: the reply that lies there may say STOP."""
    post.writes("STOP")
    with post.theatre.database_locked():
        post.open()
        post.scene.pass_s(60)
        assert post.desk.caught_up.is_set() is False
    post.scene.pass_s(60)
    assert (post.settled(), post.desk.caught_up.is_set()) == ([("stop", False)], True)


@pytest.mark.parametrize(
    ("text", "meaning", "texts"),
    [
        ("1", "now", ["confirmed"]),
        ("18時", "time", ["confirmed"]),
        ("2", "cancel", ["cancelled"]),
        ("STOP", "stop", []),
        ("お世話になっております", "not_understood", ["reply_help"]),
    ],
)
def test_whoever_dies_between_acting_and_settling_does_no_harm(
    post: Post, text: str, meaning: str, texts: list[str]
) -> None:
    """The next acts again: the same promises, the same SMS, once."""
    post.writes(text)
    post.open(inbox=cast("SmsInbox", Stuck(post.inbox, "settle")))
    post.scene.pass_s(5)
    assert post.settled() == [(None, False)]
    before = post.scene.promises()
    post.close()
    post.open()
    post.scene.pass_s(5)
    assert post.settled() == [(meaning, False)]
    assert [(each.id, each.state, each.slot, each.version) for each in post.scene.promises()] == [
        (each.id, each.state, each.slot, each.version) for each in before
    ]
    assert post.texts() == texts


def test_the_same_reply_delivered_again_is_acted_on_once(post: Post) -> None:
    """The provider repeats what we acknowledged too late for it."""
    post.open()
    for _ in range(3):
        post.writes("18時")
        post.scene.pass_s(1)
    assert post.settled() == [("time", False)]
    assert post.texts() == ["confirmed"]

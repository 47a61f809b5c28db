"""The page without a link: a code to the number that was typed, and the same answer whatever was typed."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from controller.domain.phone_number import NumberPlan
from controller.domain.signed import Purpose, Signer
from controller.domain.sms_gate import SmsGate
from controller.journeys import booking
from controller.journeys.prove_number import MAX_TRIES, Prover, ask_for_code, prove
from controller.ports.links import Done
from tests.journeys.scene import CARDS
from tests.journeys.virtual_time import Watched
from tests.journeys.writing import NUMBER, Writing

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from controller.ports.links import NumberProofs
    from tests.journeys.scene import Scene

PLAN = NumberPlan(home="JP", countries=frozenset({"JP", "US"}))
SIGNER = Signer(b"sixteen bytes or more")
UNTEXTABLE = [
    "0312345678",
    "05012345678",
    "0120123456",
    "+442071234567",
    "12",
    "",
    "DROP TABLE",
    "０" * 5000,
    "+1415555267",
]


def prover(scene: Scene) -> Prover:
    """Return what it takes, with ids that count up."""
    ids = itertools.count(1)
    proofs = Watched(scene.theatre.store.proofs, scene.theatre.loop, scene.pbx.transaction)
    gate = SmsGate(PLAN, countries=frozenset({"JP"}))
    return Prover(cast("NumberProofs", proofs), SIGNER, gate.objection, lambda: f"{next(ids):018x}")


def asked(scene: Scene, with_it: Prover, typed: str) -> str:
    """Type a number; return the challenge's id."""
    house = replace(scene.house, plan=PLAN)
    return cast("str", run(scene, ask_for_code(typed, CARDS, "en", house, with_it)))


def run(scene: Scene, work: Coroutine[Any, Any, Any]) -> Any:
    """Let it happen on the stage."""
    return scene.theatre.loop.run_until_complete(work)


def wrong(code: str) -> str:
    """Return another code."""
    return f"{(int(code) + 1) % 10**6:06d}"


@pytest.mark.parametrize(
    "typed", ["09012345678", "090-1234-5678", "+81 90 1234 5678", "０９０－１２３４－５６７８", "(090)1234ー5678"]
)
def test_a_mobile_number_gets_a_code_however_it_is_typed(open_scene: Callable[..., Scene], typed: str) -> None:
    """The SMS names the challenge; the digits are nowhere."""
    scene = open_scene()
    challenge_id = asked(scene, prover(scene), typed)
    assert Writing(scene).owed() == [("code", {"challenge": challenge_id})]
    assert scene.theatre.sql("SELECT number, language, queue FROM sms_outbox") == [(NUMBER, "en", "cards")]
    assert SIGNER.code(challenge_id) not in str(scene.theatre.sql("SELECT * FROM challenges"))


@pytest.mark.parametrize("typed", UNTEXTABLE)
def test_what_is_no_mobile_number_gets_the_same_answer_and_no_sms(open_scene: Callable[..., Scene], typed: str) -> None:
    """A landline, an IP phone, a freephone, abroad, too short, too long, no number at all."""
    scene = open_scene()
    with_it = prover(scene)
    challenge_id = asked(scene, with_it, typed)
    assert Writing(scene).owed() == []
    right = SIGNER.code(challenge_id)
    assert run(scene, prove(challenge_id, right, scene.house, with_it)) is None


def test_the_work_is_the_same_for_every_number(open_scene: Callable[..., Scene]) -> None:
    """Known or not, on the do-not-call list, with a promise, not a number: the same transactions in the same order."""
    scene = open_scene()
    scene.promised("+819012340002")
    scene.blocks("+819012340003")
    with_it = prover(scene)
    seen = set()
    for typed in ["09012345678", "09012340002", "09012340003", "+14155552671", *UNTEXTABLE]:
        before = len(scene.pbx.steps)
        asked(scene, with_it, typed)
        seen.add(tuple(step.verb for step in scene.pbx.steps[before:]))
    assert seen == {("is_blocked", "start")}
    assert scene.theatre.sql("SELECT number FROM sms_outbox ORDER BY id") == [("+819012345678",), ("+819012340002",)]


def test_the_right_code_opens_a_link_for_the_number_once(open_scene: Callable[..., Scene]) -> None:
    """With it a call is asked for; the same code opens no second one."""
    scene = open_scene()
    with_it = prover(scene)
    challenge_id = asked(scene, with_it, "09012345678")
    code = SIGNER.code(challenge_id)
    link = run(scene, prove(challenge_id, f" {code[:3]} {code[3:]} ", scene.house, with_it))
    assert (link.number, link.queue, link.language, link.purpose) == (NUMBER, "cards", "en", Purpose.BOOK)
    assert run(scene, prove(challenge_id, code, scene.house, with_it)) is None
    assert isinstance(run(scene, booking.call_now(link, scene.house)), Done)
    assert [each.number for each in scene.promises()] == [NUMBER]


def test_whoever_holds_a_promise_gets_the_link_of_it(open_scene: Callable[..., Scene]) -> None:
    """They come to change it, or to cancel it."""
    scene = open_scene()
    promise = scene.promised(NUMBER)
    with_it = prover(scene)
    challenge_id = asked(scene, with_it, "09012345678")
    link = run(scene, prove(challenge_id, SIGNER.code(challenge_id), scene.house, with_it))
    assert (link.purpose, link.promise_id) == (Purpose.PROMISE, promise.id)


def test_wrong_codes_use_up_the_tries(open_scene: Callable[..., Scene]) -> None:
    """After five the right one is of no use either."""
    scene = open_scene()
    with_it = prover(scene)
    challenge_id = asked(scene, with_it, "09012345678")
    code = SIGNER.code(challenge_id)
    for _ in range(MAX_TRIES):
        assert run(scene, prove(challenge_id, wrong(code), scene.house, with_it)) is None
    assert run(scene, prove(challenge_id, code, scene.house, with_it)) is None


def test_the_last_try_counts(open_scene: Callable[..., Scene]) -> None:
    """Four wrong ones, then the right one."""
    scene = open_scene()
    with_it = prover(scene)
    challenge_id = asked(scene, with_it, "09012345678")
    code = SIGNER.code(challenge_id)
    for _ in range(MAX_TRIES - 1):
        assert run(scene, prove(challenge_id, wrong(code), scene.house, with_it)) is None
    assert run(scene, prove(challenge_id, code, scene.house, with_it)) is not None


def test_a_code_is_of_no_use_after_ten_minutes(open_scene: Callable[..., Scene]) -> None:
    """As its SMS says."""
    scene = open_scene()
    with_it = prover(scene)
    challenge_id = asked(scene, with_it, "09012345678")
    scene.pass_s(601)
    assert run(scene, prove(challenge_id, SIGNER.code(challenge_id), scene.house, with_it)) is None


@pytest.mark.parametrize("typed", ["", "1" * 100_000, "abcdef", "१२३४५६"])
def test_whatever_is_typed_for_a_code_is_just_wrong(open_scene: Callable[..., Scene], typed: str) -> None:
    """Nothing, too much, no digits; and for a challenge that there never was."""
    scene = open_scene()
    with_it = prover(scene)
    challenge_id = asked(scene, with_it, "09012345678")
    for an_id in (challenge_id, "f" * 18):
        assert run(scene, prove(an_id, typed, scene.house, with_it)) is None

"""The judge finds what it is there to find: in a copy of the product a fault is planted, and days are played on it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parents[2]
SEED = 5
LIMIT_S = 240


@dataclass(frozen=True)
class Planted:
    """A fault: in a file, seen from controller/, this text for that, and what the judge calls what comes of it."""

    file: str
    right: str
    wrong: str
    kind: str
    days: int = 12
    also: tuple[tuple[str, str, str], ...] = ()
    """More places that have to be wrong too, since two look at the same thing."""


FAULTS = {
    "a promise is forgotten after a restart": Planted(
        "workers/recovery.py", "self._keeper.load(waiting)", "self._keeper.load([])", "lost"
    ),
    "nobody closes what is overdue": Planted(
        "workers/dialer.py",
        "        self._supervisor.spawn(self._expire(promise), promise_id=promise.id)\n",
        "        log.info(promise.id)\n",
        "lost",
    ),
    "a promise is told that was not written": Planted(
        "journeys/leave_number.py",
        "        return Leaving.NOT_KEPT",
        "        await call.play(prompts.PROMISE_MADE)\n        return Leaving.PROMISED",
        "lost",
        days=80,
    ),
    "who has talked is called again": Planted(
        "domain/lifecycle.py",
        "kept = replace(promise, state=PromiseState.FULFILLED,",
        "kept = replace(promise, state=PromiseState.WAITING,",
        "not owed",
    ),
    "who rang in is called all the same": Planted(
        "domain/lifecycle.py",
        "return replace(promise, state=PromiseState.FULFILLED, slot=None)",
        "return promise",
        "not owed",
        days=40,
    ),
    "what the admin cancelled waits on": Planted(
        "domain/lifecycle.py",
        "        case Cancelled(confirm=confirm):\n",
        "        case Cancelled(reason=CancelReason.ADMIN):\n            return Advance(moved)\n"
        "        case Cancelled(confirm=confirm):\n",
        "not owed",
        days=40,
    ),
    "no gap is kept between two tries": Planted(
        "domain/lifecycle.py",
        "return replace(waiting, not_before=max(promise.not_before, due_at))",
        "return waiting",
        "early",
    ),
    "tries are not counted": Planted("domain/lifecycle.py", "used >= policy.max_attempts or ", "", "too many tries"),
    "nobody asks for the hours": Planted(
        "domain/gate.py",
        "return checked if self.hours_of(checked.e164).allow(now) else Outcome.OUTSIDE_HOURS",
        "return checked",
        "forbidden",
        also=(("workers/promises_in_line.py", " if is_open[entry.hours]]", "]"),),
    ),
    "circuits are not counted": Planted(
        "workers/dialer.py", "return len(self._in_hand) < self._max_concurrent_calls", "return True", "over cap"
    ),
    "a window has room for everybody": Planted(
        "journeys/leave_number.py",
        "slot_capacity=queue.slots.capacity if",
        "slot_capacity=99 if",
        "slot overbooked",
        days=40,
        also=(("domain/slots.py", "if booked.get(slot.starts_at, 0) < plan.capacity]", "]"),),
    ),
    "who came last is served first": Planted(
        "domain/line.py",
        "return group, waiter.since, waiter.id",
        "return group, datetime.max.replace(tzinfo=UTC) - (waiter.since - datetime.min.replace(tzinfo=UTC)), waiter.id",
        "overtaken",
        also=(
            (
                "domain/line.py",
                "from dataclasses import",
                "from datetime import UTC, datetime\nfrom dataclasses import",
            ),
        ),
    ),
    "who waits is taken for served": Planted(
        "journeys/in_line.py",
        "return await wait_in(stay, call, queue, house, promise=promise, urgent=urgent)",
        "return Ending.SERVED",
        "hung up on",
    ),
    "who presses nothing is connected": Planted(
        "journeys/on_answer.py",
        "return Reply(Outcome.NOT_CONFIRMED)",
        "return Reply(None)",
        "machine or no key",
    ),
    "an SMS that got no answer is sent again": Planted(
        "workers/sms_sender.py",
        "        if not isinstance(result, Refused) or",
        "        if isinstance(result, Unclear):\n            return Refused(result.reason, 30.0)\n"
        "        if not isinstance(result, Refused) or",
        "SMS twice",
    ),
    "STOP is understood and not done": Planted(
        "journeys/sms_reply.py",
        "await house.do_not_call.block(number, ",
        "await house.texts.owe(SendSms(number, SmsTemplate.GAVE_UP, number, 'ja', 'cards')) or dict(",
        "SMS after STOP",
        days=40,
    ),
    "a reply is settled and nothing is done about it": Planted(
        "workers/reply_desk.py",
        'settled = await self._stored("answer", lambda: self._act(reply, self._house, self._inbox))',
        'settled = Settled("now")',
        "lost",
        days=40,
    ),
    "a link is good for ever": Planted(
        "../tests/simulation/memory_links.py",
        "replace(link, used_at=now)",
        "link",
        "link used twice",
    ),
    "nobody says that a window cannot be kept": Planted(
        "workers/late_watch.py",
        "await self._tell(promise, expected)",
        "log.info(promise.id)",
        "window in silence",
        days=80,
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_the_judge_finds_a_fault_that_was_planted(name: str, tmp_path: Path) -> None:
    """And calls it by its name."""
    fault = FAULTS[name]
    for folder in ("controller", "tests"):
        shutil.copytree(HERE / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file, right, wrong in ((fault.file, fault.right, fault.wrong), *fault.also):
        path = tmp_path / "controller" / file
        text = path.read_text()
        assert right in text, f"{file} reads otherwise by now: plant the fault anew"
        path.write_text(text.replace(right, wrong, 1))
    said = played(tmp_path, days=fault.days)
    assert said["violations"][fault.kind] > 0


def played(folder: Path, *, days: int) -> dict[str, dict[str, int]]:
    """Play days on the code in a folder, and return what was found."""
    ran = subprocess.run(  # noqa: S603 - our own program
        [
            sys.executable,
            "-m",
            "tests.simulation",
            "--seed",
            str(SEED),
            "--days",
            str(days),
            "--processes",
            "1",
            "--json",
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert ran.stdout, ran.stderr
    said: dict[str, dict[str, int]] = json.loads(ran.stdout)
    return said

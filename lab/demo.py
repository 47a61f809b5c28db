"""`make demo`: a scripted busy spell on a real Asterisk with real SIP phones, and what became of everybody."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from rich.table import Table

from lab.busy_spell import BusySpell, Caller
from lab.controller_process import ControllerFailedError
from lab.demo_console import PERSON, DemoConsole, until_interrupted
from lab.phone import CallOver, CallRefused, NotHeard, NotRung, PhoneShelf
from lab.stack import any_stack
from lab.text_messages import text_messages
from lab.timeline import ControllerNews, Timeline

if TYPE_CHECKING:
    import argparse
    from datetime import datetime

    from lab.controller_process import LogLine
    from lab.sms_providers.provider import TakenSms
    from lab.stack import AnyStack
    from lab.text_messages import TextMessages

LONGEST_S = 240
QUICK = {
    ("[queues]", "wrap_up_s"): "2",
    ("[queues]", "customer_ring_timeout_s"): "6",
    ("[queues]", "max_attempts"): "2",
    ("queues.retry_gap_s", "busy"): "4",
    # Long enough to read an SMS and to reply before the next call.
    ("queues.retry_gap_s", "no_answer"): "12",
}
"""A busy afternoon in three minutes: the waits are short, the rules are the real ones."""
ZONE = ZoneInfo("Asia/Tokyo")
"""That of the default settings."""


@dataclass(frozen=True)
class Verdict:
    """What became of one caller."""

    what: str
    is_lost: bool


def main(arguments: argparse.Namespace) -> int:
    """Play the demo; return 0 only if nobody was lost."""
    return asyncio.run(play(arguments.language))


async def play(language: str) -> int:
    """Start everything, play the script, print the table."""
    timeline = Timeline()
    timeline.console.print(
        "[bold]Orikaeshi: a busy spell.[/] Starting Asterisk, a telephone network, an SMS provider and the controller."
    )
    names: dict[str, str] = {}
    news: list[ControllerNews] = []

    def tell(line: LogLine) -> None:
        for reporter in news:
            reporter.tell(line)

    def show(sms: TakenSms) -> None:
        timeline.say("SMS", f"to {names.get(sms.number, sms.number)}: {sms.text}", "sms")

    with tempfile.TemporaryDirectory(prefix="orikaeshi-demo-") as folder:
        home = Path(folder)
        screens = DemoConsole()
        async with (
            text_messages(home, show) as texts,
            any_stack(
                home,
                changes=QUICK,
                edit=lambda text: screens.settings(texts.settings(text)),
                language=language,
                on_line=tell,
            ) as stack,
            PhoneShelf() as shelf,
        ):
            await screens.let_in(stack.settings, language)
            timeline.console.print(
                f"[bold]Wallboard: {screens.wallboard}[/]  sign in as {PERSON}, password {screens.password}"
            )
            spell = await cast(stack, texts, shelf, timeline, language)
            timeline.start()
            names |= {caller.number: caller.name for caller in spell.callers}
            news.append(ControllerNews(timeline, names, stack.site.home / "orikaeshi.db"))
            problem = await run_script(spell, stack)
            verdicts = [judge(caller, stack, texts, is_over=problem is None) for caller in spell.callers]
            lost = told(timeline, spell.callers, verdicts, problem)
            news.clear()  # that everybody signs out at the end is no news
            # Whoever watches may look at the screens for as long as they like; a script goes on.
            if sys.stdin.isatty():
                timeline.console.print(f"The wallboard stays open: {screens.wallboard}  Ctrl-C ends it.")
                await until_interrupted()
    return 1 if lost or problem else 0


def told(timeline: Timeline, callers: list[Caller], verdicts: list[Verdict], problem: str | None) -> int:
    """Print the closing table; return how many were lost."""
    timeline.console.print(table(callers, verdicts))
    lost = sum(verdict.is_lost for verdict in verdicts)
    if problem:
        timeline.console.print(f"[bold red]The script did not come to its end: {problem}[/]")
    timeline.console.print(f"[bold]{len(verdicts)} callers, {lost} lost.[/]")
    return lost


async def cast(stack: AnyStack, texts: TextMessages, shelf: PhoneShelf, timeline: Timeline, language: str) -> BusySpell:
    """Put two agents' and seven customers' phones on the shelf."""
    site = stack.site
    agents = [await shelf.add(a.user, a.password, site.host, site.ports.sip) for a in site.agents[:2]]
    phones = []
    for account in (*site.customers[:6], site.customers[13]):
        phone = await shelf.add(account.user, account.password, site.host, site.ports.carrier_sip)
        await phone.register()
        phones.append(phone)
    spell = BusySpell(stack, texts, timeline, agents, language)
    spell.cast("Aiko", phones[0], phones[0], "an agent")
    spell.cast("Botan", phones[1], phones[1], "an agent, and will hold")
    spell.cast("Chika", phones[2], phones[2], "a call back")
    spell.cast("Daichi", phones[3], phones[6], "a call back on another number")
    spell.cast("Emi", phones[4], phones[4], "a call back, then goes out")
    spell.cast("Fumi", phones[5], phones[5], "a call back, then another time")
    return spell


async def run_script(spell: BusySpell, stack: AnyStack) -> str | None:
    """Let everybody play their part; return what went wrong, if anything."""
    aiko, botan, chika, daichi, emi, fumi = spell.callers

    async def daichi_story() -> None:
        await spell.leaves_other_number(daichi, after_s=12)
        await spell.is_busy_once(daichi)
        await spell.is_called_back(daichi, talk_s=4)

    async def chika_story() -> None:
        await spell.leaves_shown_number(chika, after_s=8)
        await spell.is_called_back(chika, talk_s=5)

    async def emi_story() -> None:
        await spell.leaves_shown_number(emi, after_s=16)
        await spell.never_answers(emi, times=2)

    async def fumi_story() -> None:
        await spell.leaves_shown_number(fumi, after_s=4)
        await spell.never_answers(fumi, times=1)
        await spell.asks_by_sms(fumi, ZONE)
        await spell.is_called_back(fumi, talk_s=4)

    problem = None
    try:
        async with asyncio.timeout(LONGEST_S), asyncio.TaskGroup() as stories:
            stories.create_task(spell.agent_signs_in(0, after_s=0))
            stories.create_task(spell.agent_signs_in(1, after_s=45))
            stories.create_task(spell.is_served_at_once(aiko, after_s=1, talk_s=22))
            stories.create_task(spell.holds(botan, after_s=3, talk_s=12))
            stories.create_task(chika_story())
            stories.create_task(daichi_story())
            stories.create_task(emi_story())
            stories.create_task(fumi_story())
        for caller in (chika, daichi, emi, fumi):
            await promise_closed(caller, stack)
    except* (NotHeard, NotRung, CallRefused, CallOver, TimeoutError, ValueError, ControllerFailedError) as group:
        problem = "; ".join(str(error) or type(error).__name__ for error in group.exceptions)
    return problem


async def promise_closed(caller: Caller, stack: AnyStack) -> None:
    """Wait until the controller has closed the caller's promise, and sent the SMS if one is owed."""
    promise = promise_of(caller, stack)
    final = {"fulfilled", "exhausted", "cancelled", "expired"}
    line = await stack.controller.logged(
        "promise",
        where=lambda line: line.get("promise_id") == promise["id"] and line["state"] in final,
        timeout_s=60,
    )
    if line["state"] == "exhausted":
        await stack.controller.logged("sms_sent", where=lambda line: line["sms"] == f"{promise['id']}:gave_up")


def promise_of(caller: Caller, stack: AnyStack) -> dict[str, object]:
    """Return the promise that this caller holds, as the database has it; empty when there is none."""
    path = stack.site.home / "orikaeshi.db"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        query = "select id, state, attempts_used from promises where number = ?"
        row = database.execute(query, (caller.number,)).fetchone()
    return dict(row) if row else {}


def judge(caller: Caller, stack: AnyStack, texts: TextMessages, *, is_over: bool) -> Verdict:
    """Say what became of a caller, from what their own phone heard, the database, and the SMS that they got.

    `is_over` is False when the script broke off: who had not finished by then is not lost, but not judged either.
    """
    verdict = _judged(caller, stack, texts)
    if verdict.is_lost and not is_over:
        return Verdict("the script broke off before the end", is_lost=False)
    return verdict


def _judged(caller: Caller, stack: AnyStack, texts: TextMessages) -> Verdict:
    talked = "agent" in caller.heard
    promise = promise_of(caller, stack)
    if not promise:
        return Verdict("held, and talked with an agent" if talked else "LOST: no agent and no promise", not talked)
    if promise["state"] == "fulfilled":
        calls = _told_call(caller, promise)
        if not talked:
            return Verdict(f"LOST: {calls}, nobody was heard", is_lost=True)
        if caller.asked_for and caller.rung_at and caller.rung_at < caller.asked_for:
            return Verdict(
                f"LOST: {calls}, and not when they had asked to be: {_clock(caller.asked_for)}", is_lost=True
            )
        return Verdict(f"{calls}, and talked", is_lost=False)
    if promise["state"] == "exhausted" and (got := texts.to(caller.number)):
        return Verdict(f"not reached in {promise['attempts_used']} attempts; SMS: {got[-1]}", is_lost=False)
    return Verdict(f"LOST: the promise is {promise['state']}", is_lost=True)


def _told_call(caller: Caller, promise: dict[str, object]) -> str:
    if caller.asked_for and caller.rung_at:
        return f"called back at {_clock(caller.rung_at)} as asked by SMS"
    return "called back" if promise["attempts_used"] == 1 else f"called back ({promise['attempts_used']} attempts)"


def _clock(instant: datetime) -> str:
    return f"{instant.astimezone(ZONE):%H:%M}"


def table(callers: list[Caller], verdicts: list[Verdict]) -> Table:
    """Return the closing table."""
    result = Table(title="What became of every caller", title_justify="left", show_lines=True)
    for heading in ("caller", "number", "wanted", "heard", "waited", "what happened"):
        result.add_column(heading, overflow="fold")
    for caller, verdict in zip(callers, verdicts, strict=True):
        waited = f"{caller.waited_s:.0f} s" if caller.waited_s is not None else ""
        style = "bold red" if verdict.is_lost else ""
        heard = ", ".join(caller.heard)
        result.add_row(caller.name, caller.phone.user, caller.wish, heard, waited, verdict.what, style=style)
    return result

"""The audit as a page: who did what, the newest first. Made on the server; no script is needed."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from controller.console.api.recordings import HEARD
from controller.console.doors import Door, Way
from controller.console.pages.pages import render
from controller.domain.access import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

    from controller.console.house import ConsoleHouse
    from controller.domain.access import Principal
    from controller.ports.audit import AuditLine

ROWS = 100
_LONGEST_WORD = 64
_LONGEST_ID = 18
WORDS: Mapping[str, Mapping[str, str]] = {
    "au_title": {"ja": "操作履歴", "en": "Audit"},
    "au_help": {
        "ja": "変更の操作とログインを、拒否されたものも含めて新しい順に表示します。電話番号は一部を伏せています。",
        "en": "Changes and sign-ins, also refused ones, the newest first. Phone numbers are masked.",
    },
    "au_at": {"ja": "日時", "en": "When"},
    "au_who": {"ja": "操作者", "en": "Who"},
    "au_kind": {"ja": "種別", "en": "Kind"},
    "au_action": {"ja": "操作", "en": "Action"},
    "au_subject": {"ja": "対象", "en": "Subject"},
    "au_outcome": {"ja": "結果", "en": "Outcome"},
    "au_detail": {"ja": "詳細", "en": "Detail"},
    "au_show": {"ja": "表示する", "en": "Show"},
    "au_older": {"ja": "さらに前を表示", "en": "Older entries"},
    "au_none": {"ja": "該当する操作はありません。", "en": "There are no such entries."},
    "au_kind_person": {"ja": "利用者", "en": "Person"},
    "au_kind_key": {"ja": "APIキー", "en": "API key"},
    "au_kind_command": {"ja": "コマンド", "en": "Command line"},
    "au_kind_nobody": {"ja": "不明", "en": "Nobody known"},
    "au_heard": {"ja": "録音の再生", "en": "A recording was heard"},
    "au_recording_deleted": {"ja": "録音の削除", "en": "A recording was deleted"},
    "au_recording_paused": {"ja": "録音の一時停止", "en": "A recording was paused"},
    "au_recording_resumed": {"ja": "録音の再開", "en": "A recording was resumed"},
}
ACTIONS: Mapping[str, str] = {
    HEARD: "au_heard",
    "recordings save": "au_heard",
    "recordings delete": "au_recording_deleted",
    "DELETE /api/v1/recordings/{recording}": "au_recording_deleted",
    "POST /api/v1/agents/{agent}/pause-recording": "au_recording_paused",
    "POST /api/v1/agents/{agent}/resume-recording": "au_recording_resumed",
}
"""The words of what touches somebody's voice, for whoever looks after that and reads no addresses."""


def doors(house: ConsoleHouse) -> tuple[Door, ...]:
    """Return the door to the audit."""
    return (Door("GET", "/audit", partial(_show, house), Scope.AUDIT_READ, Way.PAGE),)


async def _show(house: ConsoleHouse, request: web.Request, principal: Principal) -> web.StreamResponse:
    """Show one page of entries. Raises StoreUnavailableError."""
    who, action = (request.query.get(name, "").strip()[:_LONGEST_WORD] for name in ("who", "action"))
    before = request.query.get("before", "")
    is_id = before.isascii() and before.isdecimal() and len(before) <= _LONGEST_ID
    lines = await house.store.audit.listed(
        limit=ROWS + 1, before_id=int(before) if is_id else None, who=who or None, action=action or None
    )
    shown = lines[:ROWS]
    asked = {name: value for name, value in (("who", who), ("action", action)) if value}
    older = f"/audit?{urlencode({**asked, 'before': shown[-1].id})}" if len(lines) > ROWS else ""
    rows = [_row(house, line) for line in shown]
    return render(house, request, principal, "audit.html", words=WORDS, rows=rows, who=who, action=action, older=older)


def _row(house: ConsoleHouse, line: AuditLine) -> dict[str, str]:
    entry = line.entry
    return {
        "at": f"{entry.at.astimezone(house.zone):%Y-%m-%d %H:%M:%S}",
        "kind": f"au_kind_{entry.kind}" if f"au_kind_{entry.kind}" in WORDS else "au_kind_nobody",
        "who": entry.who,
        "action": entry.action,
        "words": ACTIONS.get(entry.action, ""),
        "subject": entry.subject,
        "outcome": entry.outcome,
        "detail": json.dumps(dict(entry.detail), ensure_ascii=False) if entry.detail else "",
    }

"""From the settings file to the receiver: the mail room sends, signed, what the store is owed."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from standardwebhooks.webhooks import Webhook

from controller.mail_room import MailRoom
from controller.ports.news import Kind, News
from controller.ports.promises import NewPromise
from controller.store import open_store
from controller.store.news import read_payload
from controller.system_clock import SystemClock
from tests.adapters.hook_receiver import OLD_SECRET, SECRET, Receiver, fields_of
from tests.adapters.test_settings import ENV, SMALL, load

if TYPE_CHECKING:
    from pathlib import Path

OWN = "0123456789abcdef"


async def test_a_hook_of_the_settings_hears_of_a_promise(tmp_path: Path) -> None:
    """Signed with both secrets; whatever else is in the mail room."""
    env = {**ENV, "ORIKAESHI_HOOK_CRM": f"{SECRET},{OLD_SECRET}"}
    clock = SystemClock()
    async with Receiver().listening() as receiver:
        hook = f'[[hooks]]\nname = "crm"\nurl = "{receiver.url}"\nallow_http = true\nallow_private = true\n'
        settings = load(tmp_path, SMALL + hook, env)
        async with open_store(
            settings.database_url, policies={}, clock=clock, new_id=lambda: "id", hooks=settings.hook_wishes
        ) as store:
            line = cast("Any", SimpleNamespace())
            room = MailRoom(settings, store, cast("Any", None), line, clock, cast("Any", None))
            workers = room.workers
            sending = asyncio.create_task(workers.pop("webhooks"))
            for other in workers.values():
                other.close()
            await store.promises.make(NewPromise("support", "+819012345678", "ja", clock.now(), "call-1"))
            request = await receiver.came.get()
            sending.cancel()
            await asyncio.wait({sending})
            room.close()
            assert store.hooks_queued == []
    body = json.loads(request.body)
    assert (body["type"], body["data"]["number"]) == ("promise.made", "+81901234****")
    for secret in (SECRET, OLD_SECRET):
        Webhook(secret).verify(request.body, fields_of(request))


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.MISSED])
def test_every_kind_of_news_can_be_heard_by_other_processes(kind: Kind) -> None:
    """Also that a webhook is owed something; our own are not heard again."""
    assert read_payload(f"{kind} {OWN} what", own="f" * 16) == News(kind, "what")
    assert read_payload(f"{kind} {OWN} what", own=OWN) is None

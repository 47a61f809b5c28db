"""The end of a shelf: nothing of it is left, at the PBX or in this process."""

import asyncio
import threading

from lab.phone import PhoneShelf, Side
from tests.contract.phones import small_pbx
from tests.contract.phones.hands import added, answered
from tests.contract.phones.small_pbx import PhonePbx


async def test_leaving_the_shelf_ends_calls_and_leaves_no_task_and_no_thread(pbx: PhonePbx) -> None:
    """The PBX has no channel and no contact of ours left, and another shelf can be opened afterwards."""
    tasks = asyncio.all_tasks()
    for _ in range(2):
        async with PhoneShelf() as shelf:
            phone = await added(shelf, pbx, "201")
            await phone.register()
            call = await answered(phone, small_pbx.TONE)
            ringing = await phone.dial(small_pbx.NEVER_ANSWERED, timeout_s=60)
            await ringing.ringing()
        assert (await call.ended).by is Side.HERE
        assert (await ringing.ended).by is Side.HERE
    assert asyncio.all_tasks() == tasks
    assert not [each.name for each in threading.enumerate() if each.name.startswith(("phone-", "baresip-"))]
    assert "0 active channels" in await pbx.asterisk.cli("core show channels")
    assert "No objects found" in await pbx.asterisk.cli("pjsip show contacts")

"""What the tests do with the phones again and again."""

import asyncio

from lab.phone import Phone, PhoneCall, PhoneShelf
from tests.contract.phones.small_pbx import PhonePbx


async def added(shelf: PhoneShelf, pbx: PhonePbx, user: str, *, password: str = "", name: str = "") -> Phone:
    """Put an account of the PBX on a shelf, with its own password unless another is given."""
    return await shelf.add(user, password or pbx.passwords[user], "127.0.0.1", pbx.sip_port, display_name=name)


async def hung_up(phones: list[Phone]) -> None:
    """End every call of the phones and wait for it; raises TimeoutError when an end is not reported in 10 s."""
    live = [call for phone in phones for call in phone.calls if call.ending is None]
    async with asyncio.timeout(10):
        for call in live:
            await call.hang_up()
        for call in live:
            await call.ended


async def answered(phone: Phone, number: str) -> PhoneCall:
    """Call a number and wait for the answer."""
    call = await phone.dial(number, timeout_s=10)
    await call.answered()
    return call

"""The small PBX and ten phones on one shelf."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from lab.phone import Ignore, Phone, PhoneShelf
from tests.contract.phones import small_pbx
from tests.contract.phones.hands import added, hung_up
from tests.contract.phones.small_pbx import PhonePbx


@pytest.fixture(scope="package")
async def pbx(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PhonePbx]:
    """Run the small PBX, once for all tests of this folder."""
    async with small_pbx.small_pbx(tmp_path_factory.mktemp("phone-pbx")) as running:
        yield running


@pytest.fixture(scope="module")
async def phones(pbx: PhonePbx) -> AsyncIterator[list[Phone]]:
    """Ten registered phones, 201 to 210."""
    async with PhoneShelf() as shelf:
        on_it = [await added(shelf, pbx, user) for user in small_pbx.EXTENSIONS[:10]]
        await asyncio.gather(*(phone.register() for phone in on_it))
        yield on_it


@pytest.fixture
async def caller(phones: list[Phone]) -> AsyncIterator[Phone]:
    """Phone 201; what it still has on the line afterwards is hung up."""
    yield phones[0]
    await hung_up(phones)


@pytest.fixture
def callee(phones: list[Phone]) -> Phone:
    """Phone 202, as nobody has told it what to do."""
    phones[1].when_rung = Ignore()
    return phones[1]

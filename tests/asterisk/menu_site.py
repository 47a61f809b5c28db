"""A site with menus, in both languages, and with prompts and recordings of its own."""

from __future__ import annotations

import asyncio
import os
import shutil
from contextlib import asynccontextmanager
from string import Template
from typing import TYPE_CHECKING

from lab.audio import RATE_HZ, sine, write_wav
from lab.instance_folders import Folders
from lab.phone import PhoneShelf
from lab.prompts import PromptFiles
from lab.rootfolder import root_folder
from lab.stack import running_stack
from tests.asterisk.conftest import QUICK
from tests.asterisk.floor import Floor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

# Prompts of the site's own. Others may use the same root folder now, so the names tell whose they are.
LOBBY = f"lobby-{os.getpid()}"
ANNEX = f"annex-{os.getpid()}"
NOTICE = f"notice-{os.getpid()}"
OWN_WORDS = f"""id\ten\tja
{LOBBY}\tFor support, press 1.\tサポートは1を。
{ANNEX}\tBills and contracts.\tご請求、またはご契約。
{NOTICE}\tThis is a recording.\t録音です。
"""
NOTICE_HZ = {"en": 1300.0, "ja": 1000.0}
"""The recording that an admin drops in: one tone for each language, so that nobody can take it for a voice."""

FRONT_JA, FRONT_EN = "0312345601", "0312345602"
QUICK_JA, QUICK_EN = "0312345603", "0312345604"
SHORT_OF_TIME, MOVED = "0312345605", "0312345606"
ANSWERING_SERVICE, BRANCH = "09012340019", "09012340020"
PAGE = "https://example.jp/hours"

SETTINGS = Template("""
[[entrances]]
name = "front-ja"
dialled_numbers = ["0312345601"]
language = "ja"
leads_to = { menu = "main" }

[[entrances]]
name = "front-en"
dialled_numbers = ["0312345602"]
language = "en"
leads_to = { menu = "main-en" }

# The same two without a word of greeting, for callers of whom something else is of interest.
[[entrances]]
name = "quick-ja"
dialled_numbers = ["0312345603"]
language = "ja"
welcome = "digit-pause"
leads_to = { menu = "main" }

[[entrances]]
name = "quick-en"
dialled_numbers = ["0312345604"]
language = "en"
welcome = "digit-pause"
leads_to = { menu = "main-en" }

[[entrances]]
name = "short-of-time"
dialled_numbers = ["0312345605"]
language = "en"
welcome = "digit-pause"
leads_to = { menu = "short-of-time" }

[[entrances]]
name = "moved"
dialled_numbers = ["0312345606"]
language = "en"
leads_to = { message = "message-moved" }

[[menus]]
name = "main"
prompts = ["menu-english", "$lobby"]
no_key = { queue = "support" }
[menus.keys]
1 = { queue = "support" }
2 = { menu = "more" }
3 = { web_page = "hours" }
6 = { message = "$notice" }
8 = { language = "en" }

[[menus]]
name = "main-en"
prompts = ["menu-japanese", "$lobby"]
no_key = { queue = "support" }
[menus.keys]
1 = { queue = "support" }
2 = { menu = "more" }
3 = { web_page = "hours" }
4 = { external = "09012340019" }
0 = { external = "09012340020" }
5 = { callback = "support" }
7 = { urgent = "support" }
8 = { language = "ja" }

[[menus]]
name = "more"
prompts = ["$annex"]
no_key = { queue = "support" }
[menus.keys]
1 = { queue = "billing" }
"*" = { menu = "main" }

[[menus]]
name = "short-of-time"
prompts = ["$annex"]
tries = 2
first_key_timeout_s = 2
no_key = { queue = "billing" }
wrong_key = { message = "$notice" }
[menus.keys]
1 = { queue = "support" }
9 = { repeat = true }

[[web_pages]]
name = "hours"
url = "https://example.jp/hours"
title_ja = "営業時間のご案内"
title_en = "Opening hours"

[[queues]]
name = "billing"
title_ja = "ご請求窓口"
title_en = "Billing"
language = "ja"
wrap_up_s = 0.5
""").substitute(lobby=LOBBY, annex=ANNEX, notice=NOTICE)


def with_menus(text: str) -> str:
    """Return the lab's settings with the menus, and a second queue that the same agents serve."""
    return text.replace('queues = ["support"]', 'queues = ["support", "billing"]') + SETTINGS


@asynccontextmanager
async def own_prompts() -> AsyncIterator[None]:
    """Have the site's own rows and recordings where Asterisk's sounds are, made as an admin makes them."""
    root = await asyncio.to_thread(root_folder)
    workshop = Folders.new(root, "prompts", 0)
    files = PromptFiles(root)
    shelves = {language: files.file("welcome", language).parent for language in NOTICE_HZ}
    try:
        _write_sources(workshop.host)
        inside = "/usr/share/orikaeshi/prompts/render"
        render = await asyncio.create_subprocess_exec(
            *("chroot", str(root), inside, f"{workshop.inside}/sounds"),
            *("--catalogue", f"{workshop.inside}/catalogue.tsv", "--recordings", f"{workshop.inside}/recordings"),
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await render.communicate()
        assert render.returncode == 0, said.decode()
        for language, shelf in shelves.items():
            for file in (workshop.host / "sounds" / language / "orikaeshi").glob("*.wav*"):
                shutil.copy(file, shelf)
        yield
    finally:
        shutil.rmtree(workshop.host, ignore_errors=True)
        for shelf in shelves.values():
            for file in [file for prompt in (LOBBY, ANNEX, NOTICE) for file in shelf.glob(f"{prompt}.wav*")]:
                file.unlink()


def _write_sources(folder: Path) -> None:
    (folder / "sounds").mkdir(parents=True)
    (folder / "catalogue.tsv").write_text(OWN_WORDS, encoding="utf-8")
    for language, hz in NOTICE_HZ.items():
        recording = folder / "recordings" / language / f"{NOTICE}.wav"
        recording.parent.mkdir(parents=True)
        write_wav(recording, sine(hz, RATE_HZ))


@asynccontextmanager
async def menu_floor(home: Path) -> AsyncIterator[Floor]:
    """Run everything, with menus."""
    async with own_prompts(), running_stack(home, changes=QUICK, edit=with_menus) as stack, PhoneShelf() as shelf:
        yield await Floor.furnished(stack, shelf)

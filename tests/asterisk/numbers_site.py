"""A site that takes numbers at once, in two languages; and phones that show no number that could be called."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from lab.phone import Phone, PhoneShelf
    from lab.stack import Stack

IN_ENGLISH, IN_JAPANESE = "0312345601", "0312345602"
"""Dialled to leave a number with the queue "numbers", which has no agent on duty."""
AT_SUPPORT = "0312345603"
"""Dialled to leave a number with the queue "support"."""
INTO_LINE = "0312345604"
"""Dialled to wait for "numbers"."""

CHANGES = {("dialer", "countries"): '["JP", "US"]'}
"""Numbers in the United States may be called; any other abroad may not."""

LETTERS, EXTENSION = "alice", "desk"
"""Accounts on the PBX itself: one shows its own name, one an extension."""
EXTENSION_NUMBER = "201"

_SILENCE = "digit-pause"
"""The greeting: what is tested comes after it."""


def numbers_settings(text: str) -> str:
    """Return the settings with the queue and the ways in of this site."""
    before, staffed, after = text.rpartition('queues = ["support"]')
    assert staffed, "the second agent serves the queue of this site"
    ways_in = {
        IN_ENGLISH: ("en", '{ callback = "numbers" }'),
        IN_JAPANESE: ("ja", '{ callback = "numbers" }'),
        AT_SUPPORT: ("en", '{ callback = "support" }'),
        INTO_LINE: ("en", '{ queue = "numbers" }'),
    }
    entrances = [
        f'[[entrances]]\nname = "to-{number}"\ndialled_numbers = ["{number}"]\nlanguage = "{language}"\n'
        f'welcome = "{_SILENCE}"\nleads_to = {leads_to}'
        for number, (language, leads_to) in ways_in.items()
    ]
    queue = '[[queues]]\nname = "numbers"\ntitle_ja = "番号"\ntitle_en = "Numbers"\nlanguage = "en"'
    return "\n\n".join((before + 'queues = ["numbers"]' + after, queue, *entrances)) + "\n"


@dataclass(frozen=True)
class Strangers:
    """Accounts of the admin's own, beside the agents and the trunk."""

    password: str

    @classmethod
    def known_to(cls, home: Path) -> Strangers:
        """Write the accounts into the file that is the admin's own; before the PBX starts."""
        strangers = cls(secrets.token_urlsafe(24))
        local = home / "pbx" / "site" / "pjsip-local.conf"
        local.parent.mkdir(mode=0o700, parents=True)
        shown = {LETTERS: "", EXTENSION: f"callerid = Desk <{EXTENSION_NUMBER}>\n"}
        local.write_text(
            "".join(
                f"[{user}](line)\ncontext = from-trunk\nauth = {user}\naors = {user}\n{callerid}"
                "media_address = 127.0.0.1\nbind_rtp_to_media_address = yes\n\n"
                f"[{user}](agent-aor)\n\n"
                f"[{user}](account)\nusername = {user}\npassword = {strangers.password}\n\n"
                for user, callerid in shown.items()
            ),
            encoding="utf-8",
        )
        return strangers

    async def phone(self, user: str, stack: Stack, shelf: PhoneShelf) -> Phone:
        """Return the phone of one of the accounts."""
        return await shelf.add(user, self.password, stack.site.host, stack.site.ports.sip)

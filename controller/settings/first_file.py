"""The settings file of a new site: the commented default, with the site's own ports, number and agents."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_TEMPLATE = Path(__file__).parents[2] / "docker" / "controller" / "controller.toml"
"""The default settings in the source tree, which the images copy to the same place."""


def first_settings(
    template: str, *, ari_url: str, ami_host: str, ami_port: int, service_number: str, agents: Sequence[str]
) -> str:
    """Return the text of `template` (the default settings) fitted to one site; its comments stay.

    `ari_url` is without `/ari`; `agents` are the names of PJSIP endpoints, one agent each. The result is what an
    admin edits from then on: it is made once and never written over. Raises ValueError for a template that
    lacks one of these settings.
    """
    text = with_value(template, "asterisk", "url", f'"{ari_url}"')
    text = with_value(text, "asterisk", "ami_host", f'"{ami_host}"')
    text = with_value(text, "asterisk", "ami_port", str(ami_port))
    text = with_value(text, "dialer", "caller_id", f'"{service_number}"')
    text = with_value(text, "[queues]", "dialled_numbers", f'["{service_number}"]')
    before, found, blocks = text.partition("[[agents]]")
    if not found:
        raise ValueError("the default settings have no [[agents]]")
    block = found + blocks.partition("\n[[agents]]")[0].rstrip("\n") + "\n"
    return before + "\n".join(_agent(block, name, has_comments=index == 0) for index, name in enumerate(agents))


def _agent(block: str, name: str, *, has_comments: bool) -> str:
    written = re.sub(r'^(name|endpoint) = "[^"]*"', rf'\1 = "{name}"', block, flags=re.MULTILINE)
    return written if has_comments else re.sub(r"^#.*\n| *#.*", "", written, flags=re.MULTILINE)


def with_value(text: str, table: str, key: str, value: str) -> str:
    """Return `text` with another value for `key` in `[table]`; the comment behind it stays.

    `table` is as the header has it without its outer brackets (`[queues]` for `[[queues]]`), `value` is TOML.
    Raises ValueError when the key is not there.
    """
    found = re.search(rf"^\[{re.escape(table)}\](?:(?!^\[).)*?^({key} = )([^#\n]*)", text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise ValueError(f"the default settings have no {key} in [{table}]")
    padded = value.ljust(len(found[2])) if found[2].endswith(" ") else value
    padded += "" if padded.endswith(" ") or not found[2].endswith(" ") else " "
    return text[: found.start(2)] + padded + text[found.end(2) :]

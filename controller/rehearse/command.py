"""The command `controller rehearse`."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from controller.commands import Report
from controller.rehearse.catalogue import DEFAULT_CATALOGUE, Catalogue, read_catalogue
from controller.rehearse.findings import KEYS, Worry, concerns, prompts_used
from controller.rehearse.path import NOTHING, walk_path
from controller.rehearse.render import told, told_path
from controller.rehearse.script import Scene
from controller.rehearse.tree import trees
from controller.settings import load_settings
from controller.system_clock import SystemClock

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Mapping

    from controller.domain.menu import Entrance

EXAMPLE = "controller rehearse var/controller.toml --at 2026-12-31T20:00 --press 2,1"


class NoSuchEntranceError(Exception):
    """There is no entrance of this name or number; the text says which there are."""


def add_arguments(one: ArgumentParser) -> None:
    """Add what can be asked of a rehearsal."""
    one.add_argument("file", type=Path, nargs="?", metavar="SETTINGS", help="the settings file; the same as --settings")
    one.add_argument(
        "--at", type=_moment, metavar="TIME", help="walk as of then, as 2026-12-31T20:00 on the clock of the settings"
    )
    one.add_argument(
        "--press",
        type=_presses,
        metavar="KEYS",
        help="walk one path: the keys of a caller, as 2,1; - is no key until the menu gives up",
    )
    one.add_argument("--entrance", metavar="NAME", help="only this entrance, by its name or one of its numbers")
    one.add_argument(
        "--catalogue", type=Path, metavar="FILE", help="the words of the prompts (default: the catalogue of the source)"
    )


async def rehearse(arguments: Namespace, env: Mapping[str, str]) -> Report:
    """Walk through a settings file as text. Raises SettingsError, CatalogueError, NoSuchEntranceError."""
    path: Path = arguments.file or arguments.settings
    settings = load_settings(path, env, needs_secrets=False)
    at = arguments.at or SystemClock().now()
    at = at.replace(tzinfo=settings.zone) if at.tzinfo is None else at.astimezone(settings.zone)
    scene = Scene(settings, at, _catalogue(arguments.catalogue))
    entrance = _entrance(scene, arguments.entrance) if arguments.entrance else None
    heading = f"{path}, as of {at:%a %Y-%m-%d %H:%M} ({settings.zone.key})"
    data = {"settings": str(path), "at": at.isoformat()}
    if arguments.press is not None:
        first = entrance or (scene.entrances[0] if scene.entrances else None)
        if first is None:
            raise NoSuchEntranceError(f"{path} has no entrance: nobody can call")
        steps = walk_path(scene, first, arguments.press)
        return Report(f"{heading}\n\n{told_path(steps)}", {**data, "path": [asdict(step) for step in steps]})
    walked = [tree for tree, one in zip(trees(scene), scene.entrances, strict=True) if entrance in {None, one}]
    parts = [heading, *(told(tree) for tree in walked), _prompts(scene), _concerns(scene)]
    return Report(
        "\n\n".join(parts),
        {
            **data,
            "entrances": [asdict(tree) for tree in walked],
            "prompts": [
                {"prompt": prompt, "language": language, "first_played_at": where}
                for (prompt, language), where in prompts_used(scene).items()
            ],
            "concerns": [{"worry": one.worry.value, "text": one.text} for one in concerns(scene)],
        },
    )


def _catalogue(path: Path | None) -> Catalogue:
    """Return the catalogue that is named, or that of the source where there is one."""
    if path is None and not DEFAULT_CATALOGUE.exists():
        return Catalogue()
    return read_catalogue(path or DEFAULT_CATALOGUE)


def _entrance(scene: Scene, wanted: str) -> Entrance:
    for entrance in scene.entrances:
        if wanted == entrance.name or wanted in entrance.dialled_numbers:
            return entrance
    known = ", ".join(entrance.name for entrance in scene.entrances) or "none"
    raise NoSuchEntranceError(f'there is no entrance "{wanted}"; there are: {known}')


def _prompts(scene: Scene) -> str:
    """Return which prompts the settings name, by language."""
    by_language: dict[str, list[str]] = {}
    for prompt, language in prompts_used(scene):
        by_language.setdefault(language, []).append(prompt)
    lines = ["Prompts that these settings name (those of the journeys come on top):"]
    lines += [f"  {language}: {', '.join(sorted(prompts))}" for language, prompts in sorted(by_language.items())]
    return "\n".join(lines)


def _concerns(scene: Scene) -> str:
    found = concerns(scene)
    lines = [f"To look at ({len(found)}):" if found else "Nothing to look at."]
    for worry in Worry:
        of_this = [one.text for one in found if one.worry is worry]
        lines += [f"  {worry.value}", *(f"  - {text}" for text in of_this)] if of_this else []
    return "\n".join(lines)


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: write it as 2026-12-31T20:00") from None


def _presses(text: str) -> list[str]:
    keys = [one for one in text if one not in ", "]
    for key in keys:
        if key not in KEYS + NOTHING:
            raise argparse.ArgumentTypeError(f"{key!r} is no key: write 0 to 9, * and #, and {NOTHING} for none")
    return keys

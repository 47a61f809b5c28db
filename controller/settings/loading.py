"""From a file and the environment to `Settings`, or to the list of all that is wrong with them."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from controller.settings.crosschecks import cross_check
from controller.settings.mistakes import Mistake, SettingsError, shown_key, told
from controller.settings.model import Settings
from controller.settings.secret_values import database_secret, holds_secret, read_environment
from controller.settings.toml_lines import Path as Place
from controller.settings.toml_lines import line_of, lines_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_SECTIONS = ("store", "sms", "web", "dialer", "line", "agents_by_phone", "agi", "health", "callers", "log")
_LEADING_ZERO = re.compile(r"=\s*\[?\s*0[0-9]+")


def load_settings(path: Path, env: Mapping[str, str], *, needs_secrets: bool = True) -> Settings:
    """Return the settings in the TOML file `path`, with the secrets from `env`.

    Raises SettingsError with every mistake in file and environment together. A syntax error hides the rest of
    the file (TOML cannot be read past it), not the environment. Without `needs_secrets` nothing is asked of the
    environment and the secrets are empty, but for the database's: enough to check the file or to read the database.
    """
    try:
        text = _read(path)
        raw = _parse(text, path)
    except SettingsError as error:
        env_mistakes = read_environment(env, path, {})[1] if needs_secrets else []
        raise SettingsError(str(path), [*error.mistakes, *env_mistakes]) from None
    secrets, env_mistakes = read_environment(env, path, raw) if needs_secrets else (database_secret(env), [])
    lines = lines_of(text)
    mistakes = [Mistake(line_of(place, lines), shown_key(place, raw), message) for place, message in cross_check(raw)]
    candidate = {section: {} for section in _SECTIONS} | _with_tuples(raw) | {"secrets": secrets}
    candidate["asterisk"] = _several(candidate.get("asterisk", {}))
    try:
        settings = Settings.model_validate(candidate, context={"folder": path.resolve().parent})
    except ValidationError as error:
        mistakes += _told(error, raw, lines)
    if "secrets" in raw:  # the only key that is ours and not the file's
        mistakes.append(
            Mistake(lines.get(("secrets",)), "secrets", "must not stand here: secrets are environment variables")
        )
    if mistakes or env_mistakes:
        raise SettingsError(str(path), [*mistakes, *env_mistakes])
    return settings


def _read(path: Path) -> str:
    try:
        content = path.read_bytes()
        return content.removeprefix(b"\xef\xbb\xbf").decode()
    except FileNotFoundError:
        problem = "there is no such file; `controller provision --home DIR` makes one, ready to be edited"
    except IsADirectoryError:
        problem = "is a folder; name the settings file in it"
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise SettingsError(str(path), [Mistake(line, "", "is not UTF-8 text; save the file as UTF-8")]) from None
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    raise SettingsError(str(path), [Mistake(None, "", problem)])


def _parse(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        all_lines = text.splitlines()
        found = re.search(r"\(at line (\d+), column (\d+)\)$", str(error))
        line = int(found[1]) if found else max(len(all_lines), 1)
        what = re.sub(r"\s*\(at [^)]*\)$", "", str(error))
        written = all_lines[line - 1] if line <= len(all_lines) else ""
        hint = "; a number that begins with 0 must stand in quotes" if _LEADING_ZERO.search(written) else ""
        raise SettingsError(str(path), [Mistake(line, "", f"is not TOML here: {what}{hint}")]) from None


def _with_tuples(raw: Any) -> Any:
    """Return `raw` with tuples for lists: the settings are frozen, and a strict model takes no list for a tuple."""
    if isinstance(raw, dict):
        return {key: _with_tuples(value) for key, value in raw.items()}
    return tuple(_with_tuples(value) for value in raw) if isinstance(raw, list) else raw


def _several(given: Any) -> tuple[Any, ...]:
    """Return the tables of `asterisk`, which may be one in single brackets."""
    return given if isinstance(given, tuple) else (given,)


def _as_written(place: Place, raw: Mapping[str, Any]) -> Place:
    """Return a place as the file has it, where one that may stand several times stands in single brackets."""
    is_one = place[:1] == ("asterisk",) and not isinstance(raw.get("asterisk"), list)
    return (*place[:1], *place[2:]) if is_one else place


def _told(error: ValidationError, raw: Mapping[str, Any], lines: Mapping[Place, int]) -> Iterator[Mistake]:
    for one in error.errors(include_url=False):
        place: Place = _as_written(tuple(part for part in one["loc"] if part != "[key]"), raw)
        if one["type"] == "too_short" and one["input"]:
            continue  # there are some, each with mistakes of its own
        if place[0] == "secrets" or holds_secret(place):
            continue  # told by the look at the environment, or as a secret out of place
        yield Mistake(line_of(place, lines), shown_key(place, raw), told(one, _keys_beside(place)))


def _keys_beside(place: Place) -> list[str]:
    """Return the settings that may stand in the table that `place` lies in, for a guess at what was meant."""
    model: Any = Settings
    for part in place[:-1]:
        if isinstance(part, int):
            continue
        field = next((one for key, one in model.model_fields.items() if part in {key, one.alias}), None)
        inner = getattr(field, "annotation", None)
        arguments = getattr(inner, "__args__", ())
        model = arguments[0] if arguments else inner
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            return []
    return [one.alias or key for key, one in model.model_fields.items() if key != "secrets"]

"""The secrets: which ones a file needs, where they come from, and where they must not stand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from controller.domain.opt_out import LEAST_SECRET_BYTES
from controller.settings.database import DB_PASSWORD, needs_password
from controller.settings.hook_secrets import hook_secrets, hook_variables
from controller.settings.mistakes import Mistake
from controller.settings.raw import pbx_names, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path as FilePath

    from controller.settings.raw import Finding
    from controller.settings.toml_lines import Path

SECRETS: Final = {"ari_password": "ORIKAESHI_ARI_PASSWORD", "ami_password": "ORIKAESHI_AMI_PASSWORD"}
"""Which environment variable each secret comes from that every installation has."""

SECRET_WORD: Final = "{secret}"  # noqa: S105 - stands for a secret, and is none
_BY_CHOICE: Final = {
    "db": DB_PASSWORD,
    "sms": "ORIKAESHI_SMS_SECRET",
    "sms_webhook": "ORIKAESHI_SMS_WEBHOOK_SECRET",
    "web": "ORIKAESHI_WEB_SECRET",
}
NUMBER_KEY: Final = "ORIKAESHI_NUMBER_KEY"
"""Taken where it is set: without it the do-not-call list is kept in clear."""
_VARIABLES: Final = {
    "store": (DB_PASSWORD,),
    "hooks": ("ORIKAESHI_HOOK_ and the name of the hook",),
    **dict.fromkeys(("sms", "web"), tuple(variable for name, variable in _BY_CHOICE.items() if name != "db")),
}
"""Where the secrets of a section belong; those of the others are Asterisk's."""
_SHORTEST: Final = {"sms_webhook": 16, "web": 32, "number_key": LEAST_SECRET_BYTES}
"""What others could guess by trying. The length of the rest is the provider's, or Asterisk's, affair."""

_FROM_ELSEWHERE: Final = {
    "db": "it is the password of the database's role",
    "sms": "the provider gives it to you",
    "sms_webhook": "the provider gives it to you",
}
_NOT_PRINTABLE: Final = "holds a line break or another control character"
_LONGEST_SMPP: Final = 8
"""SMPP 3.4 section 4.1.1: nine octets, and the last is zero."""

_SECRET_KEY: Final = re.compile(r"passw|secret|token|api[-_]?key|credential|authorization", re.IGNORECASE)
_NAMES_AN_ACCOUNT: Final = frozenset({("sms", "twilio", "api_key_sid"), ("sms", "vonage", "api_key")})
"""Are called like secrets, and are none: they say whose the account is."""
_FILLED: Final = frozenset({("sms", "json_http", "body"), ("sms", "json_http", "headers")})


def needed_secrets(raw: Mapping[str, Any]) -> dict[str, str]:
    """Return the environment variable of each secret that a file needs, by the secret's name."""
    hooks = {f"hook {name}": variable for name, variable in hook_variables(raw).items()}
    return _needed_but_hooks(raw) | hooks


def _needed_but_hooks(raw: Mapping[str, Any]) -> dict[str, str]:
    sms, web = table(raw, "sms"), table(raw, "web").get("enabled") is True
    names = ({"web"} if web else set()) | ({"db"} if needs_password(table(raw, "store").get("url")) else set())
    match sms.get("gateway"):
        case "twilio":
            names |= {"sms"} | ({"sms_webhook"} if web and table(sms, "twilio").get("api_key_sid") else set())
        case "vonage":
            names |= {"sms"} | ({"sms_webhook"} if web else set())
        case "smpp":
            names |= {"sms"}
        case "json_http":
            provider = table(sms, "json_http")
            names |= {"sms"} if _shows_secret(provider) else set()
            names |= {"sms_webhook"} if table(provider, "verification") else set()
    return SECRETS | {name: variable for name, variable in _BY_CHOICE.items() if name in names}


def read_environment(
    env: Mapping[str, str], path: FilePath, raw: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Mistake]]:
    """Return the secrets that the file at `path` needs, by name, the others empty; and what is wrong with them.

    Those that each Asterisk may have for itself are dicts, by its name; so are those of hooks.
    """
    beside = path.parent / "secrets.env"
    how = f"set -a; . {beside}; set +a" if beside.is_file() else "`controller provision` makes one in secrets.env"
    secrets, mistakes = database_secret(env), _key_mistakes(env)
    is_smpp = table(raw, "sms").get("gateway") == "smpp"
    for name, variable in SECRETS.items():
        secrets[f"{name}s"] = own = _own_values(env, variable, raw)
        mistakes += [
            Mistake(None, own_variable(variable, pbx), _NOT_PRINTABLE, is_environment=True)
            for pbx, value in own.items()
            if not value.isprintable()
        ]
    for name, variable in _needed_but_hooks(raw).items():
        value = secrets[name] = env.get(variable, "")
        if not value and name in SECRETS and variable not in unset_variables(env, raw):
            continue
        if not value:
            told = f"is not set ({_FROM_ELSEWHERE.get(name, how)})"
        elif not value.isprintable():
            told = _NOT_PRINTABLE
        elif name == "sms" and is_smpp and len(value) > _LONGEST_SMPP:
            told = f"is too long: in SMPP 3.4 a password has {_LONGEST_SMPP} characters at most"
        elif len(value) < _SHORTEST.get(name, 1):
            told = f"is too short to be a secret: {_SHORTEST[name]} characters or more"
        else:
            continue
        mistakes.append(Mistake(None, variable, told, is_environment=True))
    secrets["hooks"], of_hooks = hook_secrets(env, raw)
    return secrets, [*mistakes, *of_hooks]


def unset_variables(env: Mapping[str, str], raw: Mapping[str, Any]) -> list[str]:
    """Return the variables that a file needs and `env` does not set; one for each Asterisk makes up for the common."""
    pbxs = pbx_names(raw)
    return [
        variable
        for name, variable in needed_secrets(raw).items()
        if not env.get(variable)
        and not (name in SECRETS and all(pbx in _own_values(env, variable, raw) for pbx in pbxs))
    ]


def own_variable(variable: str, pbx: str) -> str:
    """Return the variable of one Asterisk, by its name, in place of the common one."""
    return f"{variable}_{re.sub(r'[^A-Z0-9]', '_', pbx.upper())}"


def _own_values(env: Mapping[str, str], variable: str, raw: Mapping[str, Any]) -> dict[str, str]:
    given = {pbx: env.get(own_variable(variable, pbx), "") for pbx in pbx_names(raw)}
    return {pbx: value for pbx, value in given.items() if value}


def no_secrets() -> dict[str, Any]:
    """Return every secret by name, empty."""
    return dict.fromkeys([*SECRETS, *_BY_CHOICE], "") | {f"{name}s": {} for name in SECRETS}


def database_secret(env: Mapping[str, str]) -> dict[str, Any]:
    """Return every secret by name, empty but for those with which the database is read."""
    return no_secrets() | {"db": env.get(DB_PASSWORD, ""), "number_key": _number_key(env)}


def _number_key(env: Mapping[str, str]) -> str:
    """Return the key of the do-not-call list; empty where none is set that could be one."""
    value = env.get(NUMBER_KEY, "")
    return value if value.isprintable() and len(value) >= _SHORTEST["number_key"] else ""


def _key_mistakes(env: Mapping[str, str]) -> list[Mistake]:
    if not env.get(NUMBER_KEY) or _number_key(env):
        return []
    told = f"is too short to be a secret, or not printable: {_SHORTEST['number_key']} characters or more"
    return [Mistake(None, NUMBER_KEY, told, is_environment=True)]


def holds_secret(place: Path) -> bool:
    """Tell whether what stands at a place of the file would be a secret."""
    return _SECRET_KEY.search(str(place[-1])) is not None and tuple(place) not in _NAMES_AN_ACCOUNT


def secrets_out_of_place(raw: Any, place: Path = ()) -> Iterator[Finding]:
    """Yield (place, message) for each secret that stands in the file."""
    if isinstance(raw, dict):
        for key, inside in raw.items():
            here = (*place, key)
            if holds_secret(here) and not (here[:3] in _FILLED and inside == SECRET_WORD):
                yield here, _out_of_place(here)
            else:
                yield from secrets_out_of_place(inside, here)
    elif isinstance(raw, list):
        for index, inside in enumerate(raw):
            yield from secrets_out_of_place(inside, (*place, index))


def _out_of_place(place: Path) -> str:
    variables = ", ".join(_VARIABLES.get(str(place[0]), SECRETS.values()))
    message = f"is a secret and must not stand in this file: put it into the environment ({variables})"
    if place[:3] in _FILLED:
        return f'{message}, and write "{SECRET_WORD}" here; change it if others could read the file'
    return f"{message}, and change it if others could read the file"


def _shows_secret(provider: Mapping[str, Any]) -> bool:
    if provider.get("auth", "none") != "none":
        return True
    return _holds_word(provider.get("body")) or _holds_word(provider.get("headers"))


def _holds_word(place: Any) -> bool:
    if isinstance(place, dict):
        return any(map(_holds_word, place.values()))
    if isinstance(place, list | tuple):
        return any(map(_holds_word, place))
    return bool(place == SECRET_WORD)

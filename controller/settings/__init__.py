"""The settings: a TOML file an admin writes, secrets from the environment, frozen values for `assembly`."""

from controller.settings.loading import SECRETS, load_settings
from controller.settings.menus import Entrance, Menu, WebPage
from controller.settings.mistakes import Mistake, SettingsError
from controller.settings.model import Settings
from controller.settings.queue import Announcements, Limits, Queue
from controller.settings.sections import (
    AgentPhone,
    AgentsByPhone,
    Agi,
    Asterisk,
    Callers,
    Dialer,
    Line,
    Log,
    Secrets,
    Sms,
    Store,
)
from controller.settings.values import LANGUAGES

__all__ = [
    "LANGUAGES",
    "SECRETS",
    "AgentPhone",
    "AgentsByPhone",
    "Agi",
    "Announcements",
    "Asterisk",
    "Callers",
    "Dialer",
    "Entrance",
    "Limits",
    "Line",
    "Log",
    "Menu",
    "Mistake",
    "Queue",
    "Secrets",
    "Settings",
    "SettingsError",
    "Sms",
    "Store",
    "WebPage",
    "load_settings",
]

"""The settings: a TOML file an admin writes, secrets from the environment, frozen values for `assembly`."""

from controller.settings.console import Console
from controller.settings.loading import load_settings
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
    Health,
    Line,
    Log,
    Secrets,
    Store,
)
from controller.settings.sms import Sms
from controller.settings.values import LANGUAGES
from controller.settings.web import Web

__all__ = [
    "LANGUAGES",
    "AgentPhone",
    "AgentsByPhone",
    "Agi",
    "Announcements",
    "Asterisk",
    "Callers",
    "Console",
    "Dialer",
    "Entrance",
    "Health",
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
    "Web",
    "WebPage",
    "load_settings",
]

"""The settings, as frozen values. Units are in the names; what may stand where is checked when the file is read."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field

from controller.domain import menu as domain
from controller.domain.gate import CallingHours, Gate
from controller.domain.opening_hours import OpeningHours
from controller.domain.opt_out import NumberKey
from controller.domain.phone_number import DialableNumber, NumberPlan, check
from controller.domain.retry_policy import RetryPolicy
from controller.domain.slots import SlotPlan
from controller.ports.hooks import HookWish
from controller.settings.console import Console
from controller.settings.database import with_password
from controller.settings.desk import Desk
from controller.settings.figures import Figures
from controller.settings.hooks import Hook
from controller.settings.menus import Entrance, Menu, WebPage
from controller.settings.queue import Queue
from controller.settings.retention import Retention
from controller.settings.secret_values import needed_secrets, unset_variables
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
from controller.settings.trunks import Trunk, trunks_of
from controller.settings.values import Section, is_sms_name, parse_hours
from controller.settings.web import Web


class Settings(Section):
    """Everything the controller is told. Paths are absolute."""

    asterisks: Annotated[tuple[Asterisk, ...], Field(min_length=1, alias="asterisk")]
    """In the file one table or several, all named `asterisk`."""
    store: Store
    sms: Sms
    web: Web
    console: Console = Field(default_factory=Console)
    dialer: Dialer
    line: Line
    agents_by_phone: AgentsByPhone
    desk: Desk = Field(default_factory=Desk)
    figures: Figures = Field(default_factory=Figures)
    agi: Agi
    health: Health
    retention: Retention = Field(default_factory=Retention)
    callers: Callers
    log: Log
    entrances: tuple[Entrance, ...] = ()
    menus: tuple[Menu, ...] = ()
    web_pages: tuple[WebPage, ...] = ()
    trunks: tuple[Trunk, ...] = ()
    hooks: tuple[Hook, ...] = ()
    queues: Annotated[tuple[Queue, ...], Field(min_length=1)]
    agents: Annotated[tuple[AgentPhone, ...], Field(min_length=1)]
    secrets: Secrets

    @property
    def database_url(self) -> str:
        """Where the database is, with its password: to be opened, never to be shown (`store.url` may be)."""
        return with_password(self.store.url, self.secrets.db.get_secret_value())

    @property
    def number_key(self) -> NumberKey | None:
        """What the do-not-call list is hashed with; None: it is kept in clear."""
        secret = self.secrets.number_key.get_secret_value()
        return NumberKey(secret.encode()) if secret else None

    @property
    def hook_wishes(self) -> tuple[HookWish, ...]:
        """Who hears of what happens, without their secrets."""
        return tuple(hook.wish for hook in self.hooks)

    @property
    def zone(self) -> ZoneInfo:
        """The clock of the house."""
        return ZoneInfo(self.dialer.time_zone)

    @property
    def gate(self) -> Gate:
        """Which numbers may be dialled, and when."""
        opens, closes = parse_hours(self.dialer.calling_hours)
        plan = NumberPlan(
            home=self.dialer.home_country,
            countries=frozenset(self.dialer.countries),
            denied_prefixes=self.dialer.denied_prefixes,
            own_numbers=self.own_numbers,
            types=self.dialer.types_by_country,
        )
        return Gate(
            plan=plan,
            hours=CallingHours(opens=opens, closes=closes, zone=self.zone),
            external=self.external_numbers,
            rules=self.dialer.rules_by_country(self.dialer.home_country),
            caps=self.dialer.caps.caps,
            tariffs=self.dialer.tariffs_by_prefix,
        )

    @property
    def sms_plan(self) -> NumberPlan:
        """Which numbers may be sent an SMS, as far as country, prefix and our own numbers go."""
        return replace(self.gate.plan, countries=frozenset(self.sms.countries or self.dialer.countries), types={})

    @property
    def sms_senders(self) -> dict[str, str]:
        """Who the SMS of each queue come from, by its name: E.164 where that is a number, else as it is written."""
        of_house = self.sms.sender or self.dialer.caller_id
        return {queue.name: self._as_sender(queue.sms_sender or of_house) for queue in self.queues}

    @property
    def sms_two_way(self) -> bool:
        """Whether customers can reply, and we hear of it. The number of our trunk alone takes no SMS."""
        senders = [queue.sms_sender or self.sms.sender for queue in self.queues]
        service = self.sms.twilio.messaging_service_sid if self.sms.twilio else None
        by_service = self.sms.gateway == "twilio" and service is not None
        if not by_service and any(sender is None or is_sms_name(sender) for sender in senders):
            return False
        match self.sms.gateway:
            case "smpp":
                return True
            case "twilio" | "vonage":
                return self.web.enabled
            case "json_http":
                return self.web.enabled and self.sms.json_http is not None and self.sms.json_http.replies is not None
        return False

    @property
    def needed_secrets(self) -> tuple[str, ...]:
        """The environment variables that `controller run` needs with this file.

        An Asterisk may have others of its own in place of the two for ARI and AMI (`unset_secrets` knows).
        """
        return tuple(needed_secrets(self._as_read).values())

    def unset_secrets(self, env: Mapping[str, str]) -> list[str]:
        """Return the variables of them that `env` does not set."""
        return unset_variables(env, self._as_read)

    @property
    def _as_read(self) -> dict[str, Any]:
        read = self.model_dump(exclude={"secrets"}, by_alias=True)
        return read | {"asterisk": list(read["asterisk"]), "hooks": list(read["hooks"])}

    def agents_of(self, pbx: str) -> tuple[AgentPhone, ...]:
        """Return the agents whose phones are registered at an Asterisk, by its name."""
        first = self.asterisks[0].name
        return tuple(agent for agent in self.agents if (agent.asterisk or first) == pbx)

    def ari_password_of(self, pbx: str) -> str:
        """Return the password of ARI at an Asterisk, by its name."""
        return self.secrets.ari_passwords.get(pbx, self.secrets.ari_password).get_secret_value()

    def ami_password_of(self, pbx: str) -> str:
        """Return the password of AMI at an Asterisk, by its name."""
        return self.secrets.ami_passwords.get(pbx, self.secrets.ami_password).get_secret_value()

    @property
    def own_numbers(self) -> frozenset[str]:
        """The company's own numbers that can be told as such (E.164): what customers see, and what leads in."""
        home = NumberPlan(home=self.dialer.home_country, countries=frozenset({self.dialer.home_country}))
        shown = [trunk.caller_id for trunk in self.trunks] + [queue.caller_id for queue in self.queues]
        dialled = [number for way in self.ways_in for number in way.dialled_numbers]
        ours = (self.dialer.caller_id, *filter(None, shown), *dialled)
        checked = (check(number, home) for number in ours)
        return frozenset(number.e164 for number in checked if isinstance(number, DialableNumber))

    @property
    def ways_out(self) -> tuple[Trunk, ...]:
        """The trunks, in the order in which they are taken."""
        return trunks_of(self.trunks, self.dialer)

    @property
    def retry_policies(self) -> dict[str, RetryPolicy]:
        """The retry policy of each queue, by its name."""
        return {queue.name: queue.retry_policy(self.zone) for queue in self.queues}

    @property
    def opening_hours(self) -> dict[str, OpeningHours]:
        """The hours of each queue, by its name."""
        return {queue.name: queue.opening_hours(self.zone) for queue in self.queues}

    @property
    def slot_plans(self) -> dict[str, SlotPlan]:
        """How times can be booked, by the name of the queue; one where they cannot is left out."""
        return {queue.name: plan for queue in self.queues if (plan := queue.slot_plan)}

    @property
    def ways_in(self) -> tuple[domain.Entrance, ...]:
        """Every way in: the entrances, and the queues' own numbers. No number is in two of them."""
        direct = [entrance for queue in self.queues if (entrance := queue.entrance)]
        return (*(entrance.entrance for entrance in self.entrances), *direct)

    @property
    def menus_by_name(self) -> dict[str, domain.Menu]:
        """The menus, by name."""
        return {menu.name: menu.menu for menu in self.menus}

    @property
    def pages_by_name(self) -> dict[str, domain.WebPage]:
        """The web pages, by name."""
        return {page.name: page.web_page for page in self.web_pages}

    @property
    def destinations(self) -> tuple[domain.Destination, ...]:
        """Everything that a key, an entrance or a limit leads to, each once."""
        return tuple(dict.fromkeys(self._destinations()))

    @property
    def external_numbers(self) -> frozenset[str]:
        """The numbers outside that callers may be sent to, as the file writes them."""
        return frozenset(one.number for one in self.destinations if isinstance(one, domain.CallOut))

    @property
    def named_prompts(self) -> frozenset[str]:
        """The prompts that the file names: greetings, menus, messages. The PBX must have them too."""
        greetings = (entrance.welcome for entrance in self.ways_in)
        questions = (prompt for menu in self.menus for prompt in menu.prompts)
        farewells = (one.prompt for one in self.destinations if isinstance(one, domain.SayGoodbye))
        recorded = (message for queue in self.queues if (message := queue.callbacks.machine_message))
        return frozenset((*greetings, *questions, *farewells, *recorded, *self.desk.announcements))

    @property
    def languages(self) -> frozenset[str]:
        """The languages in which a caller can be spoken to."""
        chosen = (one.language for one in self.destinations if isinstance(one, domain.SwitchLanguage))
        return frozenset(
            (*(entrance.language for entrance in self.ways_in), *(q.language for q in self.queues), *chosen)
        )

    def _as_sender(self, sender: str) -> str:
        home = self.dialer.home_country
        number = check(sender, NumberPlan(home=home, countries=frozenset({home})))
        return number.e164 if isinstance(number, DialableNumber) else sender

    def _destinations(self) -> Iterator[domain.Destination]:
        for entrance in self.ways_in:
            yield entrance.leads_to
        for menu in self.menus:
            yield from (*menu.keys.values(), menu.no_key, menu.wrong_key)
        for queue in self.queues:
            yield from queue.limits.exits.values()

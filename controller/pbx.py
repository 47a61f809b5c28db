"""The PBX as the assembly knows it: ARI, AMI and queue log from the settings, and the sounds that it must have."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import structlog

from controller import from_settings
from controller.asterisk.ami import AmiWatcher
from controller.asterisk.ami_account import AmiAccount
from controller.asterisk.ami_errors import AmiError
from controller.asterisk.ari.client import AriClient
from controller.asterisk.ari.errors import AriError
from controller.asterisk.identity import require_system_name
from controller.asterisk.queue_log import AmiQueueLog
from controller.asterisk.recordings import AriRecordingShelf
from controller.asterisk.sounds_check import PromptsMissingError, missing_music, missing_prompts
from controller.asterisk.telephony import AriTelephony
from controller.asterisk.trunks import Trunks
from controller.ports.floor import TrunkEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from controller.asterisk.ari.events import Event
    from controller.asterisk.legs import DialRights
    from controller.domain.gate import Gate
    from controller.settings import Asterisk, Settings
    from controller.system_clock import SystemClock

log = structlog.get_logger(__name__)


class Pbx:
    """Every way in which we speak with one Asterisk."""

    def __init__(
        self,
        settings: Settings,
        asterisk: Asterisk,
        clock: SystemClock,
        *,
        gate: Gate,
        rights: DialRights,
        dry_run: bool,
        new_id: Callable[[], str],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
        on_connected: Callable[[], None],
        on_disconnected: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._new_id = new_id
        self._has_prompts = False
        self._pbx, self._is_one_of_several = asterisk.name, len(settings.asterisks) > 1
        endpoints = [agent.endpoint for agent in settings.agents_of(asterisk.name)]
        self._account = AmiAccount(
            asterisk.ami_host, asterisk.ami_port, asterisk.ami_username, settings.ami_password_of(asterisk.name)
        )
        self.ari = AriClient(
            asterisk.url,
            asterisk.app,
            asterisk.ari_username,
            settings.ari_password_of(asterisk.name),
            on_event=self._deliver,
            on_connected=on_connected,
            on_disconnected=on_disconnected,
            clock=clock,
            rng=random.Random(),  # noqa: S311 - spreads reconnects, guards nothing
        )
        self.trunks = Trunks(from_settings.trunks(settings), clock)
        self.telephony = AriTelephony(
            self.ari,
            trunks=self.trunks,
            gate=gate,
            rights=rights,
            outbound=from_settings.outbound_styles(settings),
            dry_run=dry_run,
            languages=from_settings.languages(settings),
            music=from_settings.music(settings),
            agent_endpoints=endpoints,
            clock=clock,
            new_id=new_id,
            spawn=spawn,
        )
        self.ami = AmiWatcher(
            self._account,
            endpoints=endpoints,
            trunks=self.trunks.endpoints,
            clock=clock,
        )
        self.queue_log = AmiQueueLog(self._account, clock=clock)
        self.shelf = AriRecordingShelf(self.ari)

    async def require_what_it_needs(self) -> bool:
        """Find a prompt that is missing at the start, and not in a call: Asterisk would speak English without a word.

        And the name that it needs where it is one of several. Looks once, at the first connection; returns whether it
        did. Raises PromptsMissingError, NamelessAsteriskError, AriError.
        """
        if self._has_prompts:
            return False
        if self._is_one_of_several:
            await require_system_name(self.ari, self._pbx)
        missing = await self._missing_prompts()
        if missing:
            raise PromptsMissingError(missing)
        self._has_prompts = True
        return True

    def trunk_changed(self, endpoint: str, healthy: bool) -> None:
        """Take a hint that a trunk can be used no more, or again."""
        self.trunks.health(endpoint, healthy=healthy)

    def trunks_now(self) -> list[TrunkEntry]:
        """Return how each trunk is, for supervisors."""
        return [
            TrunkEntry(
                name=each.name,
                pbx=self._pbx,
                healthy=each.healthy,
                calls=each.calls,
                circuits=each.max_concurrent_calls,
                failures=each.failures,
                rests_s=each.rests_s,
            )
            for each in self.trunks.status()
        ]

    async def tell_what_is_missing(self, *, prompts_were_seen: bool) -> None:
        """Tell of music that the PBX has not, and of prompts that it has lost; callers are served meanwhile."""
        classes = from_settings.music(self._settings).values()
        try:
            lost = [] if prompts_were_seen else await self._missing_prompts()
            missing = await missing_music(self.ari, self._account, classes, new_id=self._new_id)
        except (AriError, AmiError) as error:
            log.warning("prompts and hold music could not be looked at", reason=str(error))
            return
        if lost:
            log.error("the PBX has lost prompts; render them again", prompts=lost)
        if missing:
            log.error("the PBX lacks hold music; callers hear its default in its place", classes=missing)

    def _deliver(self, event: Event) -> None:
        self.telephony.on_event(event)

    async def _missing_prompts(self) -> list[str]:
        settings = self._settings
        return await missing_prompts(self.ari, from_settings.wanted_prompts(settings), sorted(settings.languages))

"""The floor of scenes: what a supervisor sees there, and does, over the real line, desks, journeys and database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

from controller.journeys import prompts
from controller.ports.calls import NotListening
from controller.ports.floor import PbxEntry, TrunkEntry
from controller.ports.survey import Role
from controller.store.agent_book import StoredAgentBook
from controller.workers.duty_desk import DutyDesk
from controller.workers.floor import FloorRules, OfficeFloor
from controller.workers.floor_closures import ClosureDesk
from controller.workers.floor_looks import FloorLooks
from controller.workers.floors import Floors

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable

    from controller.domain.agents import AgentState
    from controller.ports.floor import AgentEntry, FloorNow, LineEntry, Problem, QueueEntry, Refused
    from tests.journeys.scene import Scene
    from tests.journeys.scripted import ScriptedTelephony

T = TypeVar("T")

SUPERVISORS_PHONE = "phone-supervisor"


class ScriptedOversight:
    """`Oversight` over scripted telephones: who listens is written down."""

    def __init__(self, pbx: ScriptedTelephony) -> None:
        self._pbx = pbx
        self.listened: list[tuple[str, str]] = []

    async def hang_up_on(self, endpoint: str) -> bool:
        """Hang up the call that an agent's phone is on."""
        found = [each for each in self._pbx.of(Role.AGENT) if each.live and each.up and each.facts.endpoint == endpoint]
        for channel in found:
            channel.hang_up("controller")
        return bool(found)

    async def listen(self, agent: str, endpoint: str, *, caller_id: str) -> NotListening | None:
        """Write down whose phone hears which agent's."""
        if endpoint != SUPERVISORS_PHONE or caller_id != "0312345678":
            return NotListening.NO_PHONE
        if not any(each.live and each.peer and each.facts.endpoint == agent for each in self._pbx.of(Role.AGENT)):
            return NotListening.NO_TALK
        self.listened.append((agent, endpoint))
        return None

    async def has_prompt(self, prompt: str, languages: Iterable[str]) -> bool:
        """Tell whether it is one of ours."""
        return prompt in prompts.ALL and bool(set(languages))


class FloorStage:
    """One floor over one or several scenes. After a restart of a scene another one has to be made."""

    def __init__(self, *scenes: Scene, allow_listening: bool = False, signs_in_by_hand: bool = False) -> None:
        first = scenes[0]
        self.theatre, self.clock = first.theatre, first.theatre.clock
        store = self.theatre.store
        self.oversights = {scene.pbx_name: ScriptedOversight(scene.pbx) for scene in scenes}
        self.closures = ClosureDesk(store.closures, first.house.closures, self.clock)
        self.looks = FloorLooks(store.floor, self.clock, ZoneInfo("Asia/Tokyo"))
        self.pbx_states = {scene.pbx_name: "in_control" for scene in scenes}
        self.trunks: list[TrunkEntry] = []
        self.floor = Floors(
            first.queues,
            {agent.name: scene.pbx_name for scene in scenes for agent in scene.desk.agents},
            lambda: [PbxEntry(name, state, "we") for name, state in self.pbx_states.items()],
            self.looks,
            self.closures,
            self.clock,
        )
        rules = FloorRules(
            staff={agent.name: agent.queues for scene in scenes for agent in scene.desk.agents},
            caller_id="0312345678",
            allow_listening=allow_listening,
            signs_in_by_hand=signs_in_by_hand,
        )
        self.offices = [self._office(scene, rules) for scene in scenes]
        for office in self.offices:
            self.floor.opened(office)
        self._share_closures(*scenes)
        self.do(self.closures.load())

    def _office(self, scene: Scene, rules: FloorRules) -> OfficeFloor:
        book = StoredAgentBook(self.theatre.store.database)
        duty = DutyDesk(scene.desk, book, self.clock, pin_required=False)
        scene.keeper.employs = rules.staff.__contains__
        oversight = self.oversights[scene.pbx_name]
        return OfficeFloor(
            scene.house,
            scene.keeper,
            scene.desk,
            duty,
            oversight,
            rules=rules,
            trunks=lambda: list(self.trunks),
            shelf=scene.pbx.shelf,
        )

    def _share_closures(self, *scenes: Scene) -> None:
        """Let all houses see the same closures, as those of one process do."""
        tell = self.closures.on_changed

        def changed() -> None:
            now = self.clock.now()
            seen = [each for queue in scenes[0].queues if (each := self.closures.seen.of(queue, now)) is not None]
            for scene in scenes[1:]:
                scene.house.closures.learn(seen)
            tell()

        self.closures.on_changed = changed

    # -- what is done

    def do(self, command: Coroutine[Any, Any, T]) -> T:
        """Do something while time stands still."""
        return self.theatre.outside(command)

    def move(self, waiter_id: str, queue: str) -> Refused | None:
        """Move somebody to another queue."""
        return self.do(self.floor.move(waiter_id, queue))

    def prioritise(self, waiter_id: str, *, urgent: bool = True) -> Refused | None:
        """Put somebody ahead, or back."""
        return self.do(self.floor.prioritise(waiter_id, urgent=urgent))

    def assign(self, waiter_id: str, agent: str) -> Refused | None:
        """Give somebody to an agent."""
        return self.do(self.floor.assign(waiter_id, agent))

    # -- what is seen

    def now(self) -> FloorNow:
        """Return the floor, with what the database tells at this moment."""
        self.do(self.looks.look())
        return self.floor.now()

    def entry(self, waiter_id: str) -> LineEntry:
        """Return what is shown of somebody."""
        (found,) = [each for each in self.now().line if each.id == waiter_id]
        return found

    def line(self) -> list[str]:
        """Return the ids of all who are shown, in order."""
        return [each.id for each in self.now().line]

    def agent(self, name: str) -> AgentEntry:
        """Return what is shown of an agent."""
        (found,) = [each for each in self.now().agents if each.name == name]
        return found

    def states(self) -> dict[str, AgentState]:
        """Return every agent's state, as it is shown."""
        return {each.name: each.state for each in self.now().agents}

    def queue(self, name: str) -> QueueEntry:
        """Return what is shown of a queue."""
        (found,) = [each for each in self.now().queues if each.name == name]
        return found

    def problems(self) -> list[Problem]:
        """Return what needs a person."""
        return list(self.now().problems)

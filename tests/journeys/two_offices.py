"""A second call centre beside the first, over the same database: another Asterisk, with agents of its own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

from controller.ports.lease import lease_of_pbx
from tests.journeys.scene import Scene

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controller.domain.promise import Promise
    from tests.journeys.scripted_channel import Channel, Person
    from tests.journeys.theatre import Theatre

BESIDE = "pbx-2"
NEWS_TAKE_S = 0.05
"""So long it takes until another process has heard of a change, and read it."""


class _Kept:
    """The theatre as it is: another scene plays there already."""

    def __init__(self, theatre: Theatre) -> None:
        self._theatre = theatre

    def __getattr__(self, name: str) -> Any:
        return getattr(self._theatre, name)

    def empty(self) -> None:
        """Forget nothing."""


class SceneBeside(Scene):
    """The second one. It hears of changes as another process does: a little later, and only that there was one."""

    pbx_name = BESIDE

    def __init__(self, theatre: Theatre, staff: Mapping[str, Person], **options: Any) -> None:
        super().__init__(cast("Theatre", _Kept(theatre)), staff, **options)
        self.pbx.system_name = f"{BESIDE}-"
        self.theatre.store.changed.remove(self.keeper.promise_changed)
        self.theatre.store.changed.append(self._heard)

    def _heard(self, promise: Promise) -> None:
        self.theatre.loop.call_later(NEWS_TAKE_S, partial(self.hearsay.hear_of, promise.id))


class TwoOffices:
    """Both, and what one sees who looks at both."""

    def __init__(self, theatre: Theatre, first: Mapping[str, Person], second: Mapping[str, Person]) -> None:
        self.theatre = theatre
        self.first = Scene(theatre, first, signed_in=False)
        self.second = SceneBeside(theatre, second, signed_in=False)
        for scene in self.both:
            self.lends(scene)

    @property
    def both(self) -> tuple[Scene, Scene]:
        """The two scenes."""
        return self.first, self.second

    def lends(self, scene: Scene, *, lasts_s: float = 3600) -> None:
        """Give an office the lease of its Asterisk for so long."""
        leases, name = self.theatre.store.leases, lease_of_pbx(scene.pbx_name)
        taken = self.theatre.outside(leases.take(name, f"{name}:{lasts_s}", scene.pbx_name, lasts_s))
        scene.leadership.term = taken.term

    def open(self) -> None:
        """Have every agent of both offices come on duty at one and the same moment."""

        def come() -> None:
            for scene in self.both:
                for name in scene.pbx.agents:
                    scene.signs_in(name)

        self.first.do(come)

    def promised(self, number: str, person: Person) -> Promise:
        """There is a promise, made on a call to the first office; either of them reaches the customer."""
        for scene in self.both:
            scene.pbx.customers[number] = person
        return self.first.promised(number)

    def legs(self, role: Any) -> list[list[Channel]]:
        """Return the calls to agents or customers that each office has made."""
        return [scene.pbx.of(role) for scene in self.both]

    def close(self) -> None:
        """Send everybody home."""
        for scene in reversed(self.both):
            scene.close()

"""All parts that run now: watched, waited for, and stopped in order."""

import asyncio
import time
from collections.abc import Callable, Iterable

from deploy.local import health
from deploy.local.bounded_logs import bound
from deploy.local.child import Child
from deploy.local.folders import DataFolder
from deploy.local.guard import Guard
from deploy.local.parts import Part
from deploy.local.problems import NotReadyError
from deploy.local.readiness import last_lines
from deploy.local.state import PartState

_LOOK_EVERY_SECONDS = 0.1
_TEND_LOGS_EVERY = 100


class Crew:
    """The running parts of one platform."""

    def __init__(self, folder: DataFolder, guard: Guard) -> None:
        self._folder = folder
        self._guard = guard
        self._children: list[Child] = []

    def start(self, part: Part) -> None:
        """Start a part and keep it running from now on."""
        child = Child(part, self._folder.log(part.name), self._guard.register)
        child.start()
        self._children.append(child)

    def states(self) -> tuple[PartState, ...]:
        """What others may know of each part."""
        return tuple(child.state for child in self._children)

    async def watch(self, tell: Callable[[str], None]) -> None:
        """Start again what ends, and tell of it; never returns."""
        look = 0
        while True:
            for news in filter(None, [child.check() for child in self._children]):
                tell(news)
            if look % _TEND_LOGS_EVERY == 0:
                self._tend_logs()
            look += 1
            await asyncio.sleep(_LOOK_EVERY_SECONDS)

    def _tend_logs(self) -> None:
        for child in self._children:
            bound(child.log)

    async def wait_until_ready(self, seconds: float) -> None:
        """Return once every part is ready; raise `NotReadyError` that names one that is not after so long."""
        deadline = time.monotonic() + seconds
        await asyncio.gather(*(self._wait_for(child, deadline) for child in self._children))

    async def _wait_for(self, child: Child, deadline: float) -> None:
        while True:
            answer = (
                await asyncio.to_thread(health.ask, child.part.url)
                if child.part.url
                else health.Health(ready=child.runs)
            )
            if answer.ready:
                return
            if time.monotonic() > deadline:
                raise NotReadyError(_complaint(child, answer))
            await asyncio.sleep(_LOOK_EVERY_SECONDS)

    async def stop(self, names: Iterable[str]) -> None:
        """Stop the parts of these names, all at once. Nobody may be watching any more."""
        chosen = set(names)
        leaving = [child for child in self._children if child.part.name in chosen]
        await asyncio.gather(*(asyncio.to_thread(child.stop) for child in leaving))

    def kill(self) -> None:
        """End everything at once."""
        for child in self._children:
            child.kill()


def _complaint(child: Child, answer: health.Health) -> str:
    problems = ", ".join(answer.problems) or "no reason given"
    return f"{child.part.name} is not ready: {problems}. The end of its log ({child.log}):\n{last_lines(child.log)}"

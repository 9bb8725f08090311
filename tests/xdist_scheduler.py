"""How tests are shared out among several workers, each of which has servers of its own."""

from typing import Any, Final

from xdist.scheduler import LoadFileScheduling

PLATFORM_TESTS: Final = (
    "tests/faults/",
    "tests/integration/kafka/",
    "tests/integration/local/",
    "tests/integration/test_agencies.py",
    "tests/journey/",
)
"""Where tests run whole platforms: one at a time is as much as a small machine can take."""


class PlatformScheduler(LoadFileScheduling):
    """Schedule tests by file, in the given order; one worker runs all those that start a platform."""

    def __init__(self, config: Any, log: Any = None) -> None:
        """Keep the order: long files come first, so that no worker runs alone at the end."""
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return "cities" if nodeid.startswith(PLATFORM_TESTS) else str(super()._split_scope(nodeid))

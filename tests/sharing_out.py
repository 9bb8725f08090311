"""How tests are shared out among several workers, each of which has servers of its own."""

from typing import Any, Final

from xdist.scheduler import LoadFileScheduling

STAY_TOGETHER: Final = ("tests/journey/sharing/",)
"""Folders whose files look at one and the same city."""


class Sharing(LoadFileScheduling):
    """Share tests out by file, in the order in which they are; those of some folders stay together."""

    def __init__(self, config: Any, log: Any = None) -> None:
        """Keep the order: what takes long comes early, and so nobody is left alone with it at the end."""
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        folder = next((each for each in STAY_TOGETHER if nodeid.startswith(each)), None)
        return folder or str(super()._split_scope(nodeid))

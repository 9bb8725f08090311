"""The schemas as they were last released: kept beside the current ones, and never changed."""

import json
from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile
from typing import Any, Final

from deploy.contract.compatibility import breaking_changes
from deploy.contract.documents import event_schemas

RELEASED: Final = "docs/schemas/released"


class ReleaseError(Exception):
    """A version that cannot be released; the text says why."""


def incompatible_changes(root: Path) -> Iterator[str]:
    """Say what in the current schemas breaks the promise of the last release."""
    versions = _versions(root)
    if versions:
        yield from breaking_changes(_load(root / RELEASED / versions[-1]), event_schemas())


def release(root: Path, version: str) -> None:
    """Keep the current schemas as those of a version.

    Raises:
        ReleaseError: the version is there already, or breaks what was promised.
    """
    folder = root / RELEASED / version
    if folder.exists():
        raise ReleaseError(f"{version} has been released already")
    if broken := list(incompatible_changes(root)):
        raise ReleaseError("\n".join(broken))
    for name in event_schemas():
        target = folder / f"{name}.json"
        target.parent.mkdir(parents=True, exist_ok=True)
        copyfile(root / "docs/schemas" / f"{name}.json", target)


def _versions(root: Path) -> list[str]:
    """List the versions that were released, oldest first."""
    folders = [folder.name for folder in (root / RELEASED).glob("*") if folder.is_dir()]
    return sorted(folders, key=lambda version: [int(part) for part in version.split(".")])


def _load(folder: Path) -> dict[str, Any]:
    return {
        path.relative_to(folder).with_suffix("").as_posix(): json.loads(path.read_text(encoding="utf-8"))
        for path in folder.glob("*/*.json")
    }

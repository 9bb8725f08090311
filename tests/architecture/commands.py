"""Commands as documents and the Makefile have them, and whether they exist."""

import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from deploy.cli.main import app
from tests.architecture.source import ROOT

_CODE = re.compile(r"```\w*\n(?P<block>.*?)```|`(?P<inline>[^`\n]+)`", re.DOTALL)
_COMMAND = re.compile(
    r"(?:^|\s{2,}|&& )(?:\$ )?(?:\.venv/bin/)?(?P<words>(?:make|handoff|python -m) [\w.-]+(?: [a-z][\w-]*)?)",
    re.MULTILINE,
)


def commands_in(text: str) -> Iterator[str]:
    """Find what a document in Markdown tells people to type, in its code."""
    for code in _CODE.finditer(text):
        yield from (command["words"] for command in _COMMAND.finditer(code["block"] or code["inline"]))


def commands_of_makefile() -> Iterator[str]:
    """Find what the Makefile runs from the environment that it makes."""
    for tool, module in re.findall(r"\$\(BIN\)/([\w-]+)(?: -m ([\w.]+))?", _makefile()):
        yield f"{tool} -m {module}" if module else tool


def is_there(command: str) -> bool:
    """Tell whether there is such a command."""
    match command.split():
        case ["make", target, *_]:
            return target in re.findall(r"^([a-z-]+):", _makefile(), re.MULTILINE)
        case ["python", "-m", module, *_]:
            return _can_run(module)
        case ["handoff", *words]:
            return _knows(app, words)
        case [tool]:
            return Path(sys.executable).with_name(tool).exists()
    return False


def own_scripts() -> dict[str, str]:
    """Return the commands that the project installs, and what they call."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return dict(project["scripts"])


def _makefile() -> str:
    return (ROOT / "Makefile").read_text(encoding="utf-8")


def _can_run(module: str) -> bool:
    try:
        spec = find_spec(module)
        packed = spec is not None and spec.submodule_search_locations is not None
        return find_spec(f"{module}.__main__") is not None if packed else spec is not None
    except ModuleNotFoundError:
        return False


def _knows(command: Any, words: list[str]) -> bool:
    """Tell whether the words lead through groups to a command; what follows a command is its own affair."""
    if not words or not hasattr(command, "get_command"):
        return True
    inner = command.get_command(None, words[0])
    return inner is not None and _knows(inner, words[1:])

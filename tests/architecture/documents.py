"""How documents in Markdown are written: their lines wrap, and the paths that they name exist."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final

from tests.architecture.source import Project

LONGEST_LINE: Final = 100

_LINK_TARGET = re.compile(r"\]\([^)]*\)|<https?://[^>]*>|https?://\S+|^\[[^\]]+\]: \S+")
_FENCE = re.compile(r"\s*(?:```|~~~)")
_PATH = re.compile(
    r"(?<![\w/.<-])(?:\./)?(?:services|shared|deploy|bench|tests|docs|requirements)/[\w./*<>{},\[\]-]*[\w/*}>]"
)


def lines_of_documents_wrap(project: Project) -> Iterator[str]:
    """Lines of documents have 100 characters at most; tables, code and the addresses of links may be longer."""
    for path, text in _documents(project):
        for number, line in _outside_code(text):
            if not line.lstrip().startswith("|") and len(_LINK_TARGET.sub("", line)) > LONGEST_LINE:
                yield f"{path}:{number}: wrap this line of {len(line)} characters at {LONGEST_LINE}"


def paths_in_documents_exist(project: Project) -> Iterator[str]:
    """A path of the repository that a document names leads to a file or a folder."""
    folders = {path[:end] for path in project.files for end in _slashes(path)}
    there = project.files.keys() | folders
    for path, text in _documents(project):
        for number, line in enumerate(text.splitlines(), 1):
            for named in _PATH.findall(line):
                if not all(_exists(each, there) for each in _each(named.removeprefix("./"))):
                    yield f"{path}:{number}: {named} does not exist; name what took its place"


def _documents(project: Project) -> Iterator[tuple[str, str]]:
    return ((path, text) for path, text in project.files.items() if path.endswith(".md"))


def _outside_code(text: str) -> Iterator[tuple[int, str]]:
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if _FENCE.match(line):
            inside = not inside
        elif not inside:
            yield number, line


def _slashes(path: str) -> Iterator[int]:
    return (found.start() for found in re.finditer("/", path))


def _each(named: str) -> Iterator[str]:
    """Write `a/{b,c}` as `a/b` and `a/c`, and what stands in angle brackets as a star."""
    named = re.sub(r"<[^<>]*>", "*", named)
    braces = re.search(r"\{([^{}]*)\}", named)
    if not braces:
        yield named.rstrip("/.")
        return
    for choice in braces[1].split(","):
        yield from _each(named[: braces.start()] + choice + named[braces.end() :])


def _exists(named: str, there: set[str]) -> bool:
    return named in there or ("*" in named and any(fnmatchcase(path, named) for path in there))

"""Python files of the project, read and parsed once."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from io import StringIO
from pathlib import Path
from tokenize import COMMENT, generate_tokens

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Source:
    """One file: where it is below the project's folder, its text, and what it parses to."""

    path: str
    text: str

    @property
    def tree(self) -> ast.Module:
        return _parse(self.text)

    @property
    def comments(self) -> Iterator[tuple[int, str]]:
        for token in generate_tokens(StringIO(self.text).readline):
            if token.type == COMMENT:
                yield token.start[0], token.string


@cache
def _parse(text: str) -> ast.Module:
    return ast.parse(text)


@cache
def python_files() -> tuple[Source, ...]:
    """Read every Python file that belongs to the project."""
    return tuple(_read())


def _read() -> Iterator[Source]:
    for folder in ("services", "shared", "deploy", "bench", "tests"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield Source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))

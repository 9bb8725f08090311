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
    def nodes(self) -> tuple[ast.AST, ...]:
        return _nodes(self.text)

    @property
    def tree(self) -> ast.AST:
        return self.nodes[0]

    @property
    def comments(self) -> tuple[tuple[int, str], ...]:
        return _comments(self.text)


@cache
def _nodes(text: str) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(text)))


@cache
def _comments(text: str) -> tuple[tuple[int, str], ...]:
    tokens = generate_tokens(StringIO(text).readline)
    return tuple((token.start[0], token.string) for token in tokens if token.type == COMMENT)


@cache
def python_files() -> tuple[Source, ...]:
    """Read every Python file that belongs to the project."""
    return tuple(_read())


def _read() -> Iterator[Source]:
    for folder in ("services", "shared", "deploy", "bench", "tests"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield Source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))

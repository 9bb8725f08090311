"""The rule that no name in the code is a word that docs/glossary.md has replaced."""

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from tests.architecture.old_words import OLD_WORDS, Kind, OldWord
from tests.architecture.source import Project, PythonFile

_OWN: Final = "tests/architecture/"  # names the old words in order to find them


def no_old_word_names_anything(project: Project) -> Iterator[str]:
    """Names in the code are the terms of docs/glossary.md."""
    for source in project.sources:
        if not source.path.startswith(_OWN):
            yield from _old_words_in(source)


def _old_words_in(source: PythonFile) -> Iterator[str]:
    words = [old for old in OLD_WORDS if old.counts_in(source.path)]
    for name, line, kinds in _names(source):
        old = _found(name, words, kinds)
        if old:
            yield f"{source.path}:{line}: rename {name}, an old word: {old.instead}"
    old = _found(PurePosixPath(source.path).stem.removeprefix("test_"), words, ("module",))
    if old:
        yield f"{source.path}:1: rename the module by {old.instead}"


def _found(name: str, words: list[OldWord], kinds: tuple[Kind, ...]) -> OldWord | None:
    return next((old for old in words if old.kind in kinds and name in old), None)


def _names(source: PythonFile) -> Iterator[tuple[str, int, tuple[Kind, ...]]]:
    """Name what a module defines and uses, with the line."""
    for node in source.nodes:
        line = getattr(node, "end_lineno" if isinstance(node, ast.Attribute) else "lineno", 0)
        match node:
            case ast.ClassDef(name=name):
                yield name, line, ("class", "defined", "used")
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name, line, ("function", "defined", "used")
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name, line, ("defined", "used")
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.keyword(arg=str(name)):
                yield name, line, ("used",)
            case ast.alias():
                parts = {*node.name.split("."), node.asname or node.name}
                yield from ((part, line, ("used",)) for part in parts)
            case _:
                pass

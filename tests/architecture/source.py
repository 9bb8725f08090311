"""The files of the project, read once, and its Python files parsed once."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from io import StringIO
from pathlib import Path
from tokenize import COMMENT, generate_tokens

ROOT = Path(__file__).parents[2]
FOLDERS = ("services", "shared", "deploy", "bench", "tests", "docs")
TEXT_SUFFIXES = frozenset({".py", ".md", ".toml", ".html", ".jinja", ".sql", ".mako"})


@dataclass(frozen=True)
class PythonFile:
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

    @property
    def strings(self) -> tuple[tuple[int, str, bool], ...]:
        """String literals, with the line where each begins, and whether it is a docstring.

        Literals that are added or that have parts to fill in are one, with `{}` for each part that is filled in.
        """
        return _strings(self.text)


@dataclass(frozen=True)
class Project:
    """All files of the project by their path below its folder; the text of a file that is not text is empty."""

    files: Mapping[str, str]

    @cached_property
    def sources(self) -> tuple[PythonFile, ...]:
        """The Python files."""
        return tuple(PythonFile(path, text) for path, text in self.files.items() if path.endswith(".py"))

    def entries(self, folder: str) -> set[str]:
        """Name what is directly in a folder; the name of a folder ends in a slash."""
        inside = (path.removeprefix(f"{folder}/") for path in self.files if path.startswith(f"{folder}/"))
        return {first + slash for first, slash, _ in (path.partition("/") for path in inside)}


def imported_names(node: ast.AST) -> Iterator[str]:
    """Name what an import statement imports: modules, and what it takes from a module as `module.name`."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def _nodes(text: str) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(text)))


@cache
def _comments(text: str) -> tuple[tuple[int, str], ...]:
    tokens = generate_tokens(StringIO(text).readline)
    return tuple((token.start[0], token.string) for token in tokens if token.type == COMMENT)


@cache
def _strings(text: str) -> tuple[tuple[int, str, bool], ...]:
    found = []
    docstrings = {_docstring(node) for node in _nodes(text)}
    inside: set[ast.AST] = set()
    for node in _nodes(text):  # outer nodes come first
        literal = None if node in inside else _literal(node)
        if literal is not None:
            inside |= set(ast.walk(node))
            found.append((getattr(node, "lineno", 0), literal, node in docstrings))
    return tuple(found)


def _literal(node: ast.AST) -> str | None:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_literal(part) or "{}" for part in parts)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            texts = _literal(left), _literal(right)
            return None if texts == (None, None) else "".join(text or "{}" for text in texts)
    return None


def _docstring(node: ast.AST) -> ast.AST | None:
    body = getattr(node, "body", None)
    first = body[0] if isinstance(body, list) and body else None
    return first.value if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) else None


@cache
def read_whole_project() -> Project:
    """Read the project that this test belongs to."""
    return read_project(ROOT)


def python_files() -> tuple[PythonFile, ...]:
    """Read every Python file that belongs to the project."""
    return read_whole_project().sources


def read_project(root: Path) -> Project:
    """Read the files in the project's folders, and the documents beside them."""
    return Project({path.relative_to(root).as_posix(): _read(path) for path in _files(root)})


def _files(root: Path) -> Iterator[Path]:
    yield from (path for path in sorted(root.iterdir()) if path.suffix in TEXT_SUFFIXES and path.is_file())
    for folder in FOLDERS:
        inside = sorted((root / folder).rglob("*"))
        yield from (path for path in inside if path.is_file() and "__pycache__" not in path.parts)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.suffix in TEXT_SUFFIXES else ""

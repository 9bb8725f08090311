"""The house rules that an import contract cannot say, each as a function that names what breaks it."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Final

from tests.architecture.source import Source

Rule = Callable[[Source], Iterator[str]]

LONGEST_FUNCTION: Final = 30
LONGEST_MODULE: Final = 300
LONGEST_HANDLER: Final = 10
NAMES_THAT_SAY_NOTHING: Final = frozenset({"utils", "helpers", "common", "core", "base", "manager", "misc"})

_PURE = re.compile(r"services/\w+/domain\b|shared/events/|shared/policy/")
_PRODUCT = ("services/", "shared/", "deploy/")


def only_the_database_module_commits(source: Source) -> Iterator[str]:
    """Only shared/kit/database/database.py ends a transaction; only shared/kit/kafka/offsets.py commits offsets."""
    if not source.path.startswith(("services/", "shared/")) or source.path == "shared/kit/database/database.py":
        return
    for call in _calls(source):
        if source.path == "shared/kit/kafka/offsets.py" and ast.unparse(call.func) == "consumer.commit":
            continue
        method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        said = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else ""
        in_words = (
            method == "execute" and isinstance(said, str) and said.strip().upper().startswith(("COMMIT", "ROLLBACK"))
        )
        if method in {"commit", "rollback", "set_autocommit"} or in_words:
            yield f"{source.path}:{call.lineno} ends a transaction"


def pure_modules_read_no_clock_and_throw_no_dice(source: Source) -> Iterator[str]:
    """Domain, events and policy are given the time and their ids."""
    if not _PURE.match(source.path):
        return
    for node in source.nodes:
        if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"} and _is_a_date_class(node.value):
            yield f"{source.path}:{node.lineno} reads the clock"
        if _name_of(node) in {"uuid1", "uuid4", "urandom", "utc_now"}:
            yield f"{source.path}:{_line(node)} makes something up"
        if any(module.split(".")[0] in {"random", "secrets", "time"} for module in _imported(node)):
            yield f"{source.path}:{_line(node)} imports a clock or a source of randomness"


def nobody_imports_what_faststream_keeps_to_itself(source: Source) -> Iterator[str]:
    """A private module may change in any release."""
    for node in source.nodes:
        for module in _imported(node):
            first, *rest = module.split(".")
            if first in {"faststream", "aiokafka"} and any(part.startswith("_") for part in rest):
                yield f"{source.path}:{_line(node)} imports {module}"


def every_subscriber_states_its_ack_policy(source: Source) -> Iterator[str]:
    """The default loses messages."""
    for call in _calls(source):
        stated = {keyword.arg for keyword in call.keywords}
        if isinstance(call.func, ast.Attribute) and call.func.attr == "subscriber" and "ack_policy" not in stated:
            yield f"{source.path}:{call.lineno} subscribes without an ack_policy"


def modules_have_names_that_say_something(source: Source) -> Iterator[str]:
    """A module is named after what is in it."""
    for part in PurePosixPath(source.path).with_suffix("").parts:
        if part in NAMES_THAT_SAY_NOTHING:
            yield f"{source.path}: {part} says nothing"


def functions_are_short(source: Source) -> Iterator[str]:
    """None has more than 30 lines."""
    for function in _functions(source):
        lines = (function.end_lineno or function.lineno) - function.lineno + 1
        if lines > LONGEST_FUNCTION:
            yield f"{source.path}:{function.lineno} {function.name} has {lines} lines"


def handlers_are_shorter(source: Source) -> Iterator[str]:
    """A handler reads like a sentence: ten lines at most, below its first line and its docstring."""
    if not source.path.endswith("/handlers.py"):
        return
    for function in _functions(source):
        body = function.body[1:] if ast.get_docstring(function) else function.body
        lines = (function.end_lineno or 0) - body[0].lineno + 1 if body else 0
        if function.name.startswith("on_") and lines > LONGEST_HANDLER:
            yield f"{source.path}:{function.lineno} {function.name} has {lines} lines"


def modules_are_short(source: Source) -> Iterator[str]:
    """None has more than 300 lines; migrations and tests are lists."""
    lines = source.text.count("\n")
    if lines > LONGEST_MODULE and source.path.startswith((*_PRODUCT, "bench/")) and "/migrations/" not in source.path:
        yield f"{source.path} has {lines} lines"


def tests_use_fakes_and_no_patches(source: Source) -> Iterator[str]:
    """What is patched is not tested."""
    for node in source.nodes:
        imported = any(module.startswith(("unittest.mock", "mock.", "pytest_mock")) for module in _imported(node))
        set_by_force = (
            isinstance(node, ast.Attribute) and node.attr == "setattr" and _name_of(node.value) == "monkeypatch"
        )
        if imported or set_by_force or (isinstance(node, ast.arg) and node.arg == "mocker"):
            yield f"{source.path}:{_line(node)} patches"


def nothing_is_left_for_later(source: Source) -> Iterator[str]:
    """What is to be done has a decision record or a line in the changelog."""
    for number, comment in source.comments:
        if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", comment):
            yield f"{source.path}:{number} leaves something for later"


def comments_are_no_banners(source: Source) -> Iterator[str]:
    """A module that needs sections needs to be two modules."""
    for number, comment in source.comments:
        if re.match(r"#\s*[-=*#~_]{3,}", comment):
            yield f"{source.path}:{number} is a banner"


def nothing_reads_the_environment_at_import(source: Source) -> Iterator[str]:
    """Settings are arguments: they are read when a program starts, and nowhere else."""
    if not source.path.startswith(_PRODUCT) or source.path.endswith("/settings.py"):
        return
    for node in _run_at_import(source.tree):
        name = _name_of(node)
        if name in {"environ", "getenv"} or (
            isinstance(node, ast.Call) and (_name_of(node.func) or "").endswith("Settings")
        ):
            yield f"{source.path}:{_line(node)} reads the environment at import"


def our_errors_are_nobody_else_s(source: Source) -> Iterator[str]:
    """Pydantic's and json's errors are ValueErrors: ours are not, so that neither is taken for the other."""
    for node in source.nodes:
        if isinstance(node, ast.ClassDef) and "ValueError" in {_name_of(parent) for parent in node.bases}:
            yield f"{source.path}:{node.lineno} {node.name} is a ValueError"


def _calls(source: Source) -> Iterator[ast.Call]:
    return (node for node in source.nodes if isinstance(node, ast.Call))


def _functions(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in source.nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _imported(node: ast.AST) -> Iterator[str]:
    """Name what an import statement imports, with what it takes from there."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _name_of(node: ast.AST) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.name if isinstance(node, ast.alias) else None


def _is_a_date_class(node: ast.AST) -> bool:
    return _name_of(node) in {"datetime", "date"}


def _line(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 0))


def _run_at_import(tree: ast.AST) -> Iterator[ast.AST]:
    """Go through what runs when a module is imported: everything but the bodies of functions, and `if __name__`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "__name__" in {_name_of(part) for part in ast.walk(node.test)}:
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            defaults = [*node.args.defaults, *(default for default in node.args.kw_defaults if default)]
            run = [*defaults, *getattr(node, "decorator_list", [])]
            for part in run:
                yield from ast.walk(part)
        else:
            yield node
            yield from _run_at_import(node)

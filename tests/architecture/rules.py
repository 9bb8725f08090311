"""The house rules about one Python file, each as a function that yields where a file breaks it."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Final

from tests.architecture.source import PythonFile, imported_names

Rule = Callable[[PythonFile], Iterator[str]]

LONGEST_FUNCTION: Final = 30
LONGEST_MODULE: Final = 300
LONGEST_HANDLER: Final = 10
UNSPECIFIC_NAMES: Final = frozenset({"utils", "helpers", "common", "core", "base", "manager", "misc"})

_PURE = re.compile(r"services/\w+/domain\b|shared/events/|shared/policy/")
_PRODUCT = ("services/", "shared/", "deploy/")


def only_the_database_module_commits(source: PythonFile) -> Iterator[str]:
    """Only shared/kit/database/database.py ends a transaction; only shared/kit/kafka/offsets.py commits offsets."""
    if not source.path.startswith(("services/", "shared/")) or source.path == "shared/kit/database/database.py":
        return
    for call in _calls(source):
        if source.path == "shared/kit/kafka/offsets.py" and ast.unparse(call.func) == "consumer.commit":
            continue
        method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        sql = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else ""
        as_sql = method == "execute" and isinstance(sql, str) and sql.strip().upper().startswith(("COMMIT", "ROLLBACK"))
        if method in {"commit", "rollback", "set_autocommit"} or as_sql:
            yield f"{source.path}:{call.lineno} ends a transaction: use Database.transaction()"


def pure_modules_read_no_clock_and_no_randomness(source: PythonFile) -> Iterator[str]:
    """Domain, events and policy are given the time and their ids."""
    if not _PURE.match(source.path):
        return
    for node in source.nodes:
        if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"} and _is_a_date_class(node.value):
            yield f"{source.path}:{node.lineno} reads the clock: take the time as an argument"
        if _name_of(node) in {"uuid1", "uuid4", "urandom", "utc_now"}:
            yield f"{source.path}:{_line(node)} creates a random id: take it as an argument"
        if any(module.split(".")[0] in {"random", "secrets", "time"} for module in imported_names(node)):
            yield f"{source.path}:{_line(node)} imports a clock or a source of randomness"


def private_modules_of_faststream_are_not_imported(source: PythonFile) -> Iterator[str]:
    """A private module may change in any release."""
    for node in source.nodes:
        for module in imported_names(node):
            first, *rest = module.split(".")
            if first in {"faststream", "aiokafka"} and any(part.startswith("_") for part in rest):
                yield f"{source.path}:{_line(node)} imports {module}"


def every_subscriber_states_its_ack_policy(source: PythonFile) -> Iterator[str]:
    """FastStream's default policy loses messages when a handler fails."""
    for call in _calls(source):
        stated = {keyword.arg for keyword in call.keywords}
        if isinstance(call.func, ast.Attribute) and call.func.attr == "subscriber" and "ack_policy" not in stated:
            yield f"{source.path}:{call.lineno} subscribes without an ack_policy"


def modules_have_specific_names(source: PythonFile) -> Iterator[str]:
    """A module is named after the concept that it holds."""
    for part in PurePosixPath(source.path).with_suffix("").parts:
        if part in UNSPECIFIC_NAMES:
            yield f"{source.path}: {part} does not name a concept: rename it"


def functions_are_short(source: PythonFile) -> Iterator[str]:
    """No function has more than 30 lines."""
    for function in _functions(source):
        lines = (function.end_lineno or function.lineno) - function.lineno + 1
        if lines > LONGEST_FUNCTION:
            yield f"{source.path}:{function.lineno} {function.name} has {lines} lines"


def handlers_are_shorter(source: PythonFile) -> Iterator[str]:
    """A handler has at most ten lines below its first line and its docstring."""
    if not source.path.endswith("/handlers.py"):
        return
    for function in _functions(source):
        body = function.body[1:] if ast.get_docstring(function) else function.body
        lines = (function.end_lineno or 0) - body[0].lineno + 1 if body else 0
        if function.name.startswith("on_") and lines > LONGEST_HANDLER:
            yield f"{source.path}:{function.lineno} {function.name} has {lines} lines"


def modules_are_short(source: PythonFile) -> Iterator[str]:
    """No module has more than 300 lines; migrations and tests may: they are lists."""
    lines = source.text.count("\n")
    if lines > LONGEST_MODULE and source.path.startswith((*_PRODUCT, "bench/")) and "/migrations/" not in source.path:
        yield f"{source.path} has {lines} lines"


def tests_use_fakes_and_no_patches(source: PythonFile) -> Iterator[str]:
    """Tests pass in a fake; a patched function is not tested."""
    for node in source.nodes:
        imported = any(module.startswith(("unittest.mock", "mock.", "pytest_mock")) for module in imported_names(node))
        set_by_force = (
            isinstance(node, ast.Attribute) and node.attr == "setattr" and _name_of(node.value) == "monkeypatch"
        )
        if imported or set_by_force or (isinstance(node, ast.arg) and node.arg == "mocker"):
            yield f"{source.path}:{_line(node)} patches: pass in a fake"


def nothing_is_left_for_later(source: PythonFile) -> Iterator[str]:
    """Open work is filed as an issue, not left in a comment."""
    for number, comment in source.comments:
        if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", comment):
            yield f"{source.path}:{number} marks open work: do it, or file it"


def comments_are_no_banners(source: PythonFile) -> Iterator[str]:
    """A module that needs sections needs to be two modules."""
    for number, comment in source.comments:
        if re.match(r"#\s*[-=*#~_]{3,}", comment):
            yield f"{source.path}:{number} is a banner"


def nothing_reads_the_environment_at_import(source: PythonFile) -> Iterator[str]:
    """Settings are arguments: they are read when a program starts, and nowhere else."""
    if not source.path.startswith(_PRODUCT) or source.path.endswith("/settings.py"):
        return
    for node in _run_at_import(source.tree):
        name = _name_of(node)
        if name in {"environ", "getenv"} or (
            isinstance(node, ast.Call) and (_name_of(node.func) or "").endswith("Settings")
        ):
            yield f"{source.path}:{_line(node)} reads the environment at import"


def errors_do_not_derive_from_value_error(source: PythonFile) -> Iterator[str]:
    """Pydantic's and json's errors are ValueErrors: ours are not, so that neither is taken for the other."""
    for node in source.nodes:
        if isinstance(node, ast.ClassDef) and "ValueError" in {_name_of(parent) for parent in node.bases}:
            yield f"{source.path}:{node.lineno} {node.name} is a ValueError"


def _calls(source: PythonFile) -> Iterator[ast.Call]:
    return (node for node in source.nodes if isinstance(node, ast.Call))


def _functions(source: PythonFile) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in source.nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


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

"""The house rules about where files are and what they are called, each as a function that yields what breaks it."""

import ast
from collections import defaultdict
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from pathlib import PurePosixPath
from typing import Final

from tests.architecture.source import Project, PythonFile, imported_names

ProjectRule = Callable[[Project], Iterator[str]]

SERVICES: Final = ("intake", "routing", "notifications", "metrics")
MOST_KIT_ENTRIES: Final = 12

SERVICE_ENTRIES: Final = frozenset(
    {
        "__init__.py",
        "__main__.py",
        "app.py",
        "settings.py",
        "handlers.py",
        "http/",
        "workers/",
        "use_cases/",
        "domain/",
        "store/",
        "tables.py",
        "migrations/",
    }
)
HTTP_ENTRIES: Final = frozenset({"__init__.py", "api/", "pages/", "openapi.py"})
FURTHER_HTTP_ENTRIES: Final = {
    "services/intake/http": {
        "locales/": "the texts of pages and of answers in each language, which api/ and pages/ both need",
        "translations.py": "reads locales/",
    },
    "services/routing/http": {"authentication.py": "who asks: api/ and pages/ both need it"},
}
MISSING_HTTP_ENTRIES: Final = {
    "services/metrics/http": {"openapi.py": "its answers are not published"},
    "services/notifications/http": {
        "openapi.py": "its answers are not published",
        "pages/": "it shows no page",
    },
}

GERUND_PACKAGES: Final = {
    "routing": "the service, and its tests",
    "messaging": "the term for what moves messages between services",
}
GERUNDS: Final = {
    "shared/events/routing.py": "the events of the service routing",
    "deploy/cli/routing.py": "`handoff routing`, the commands for the service routing",
    "bench/routing.py": "measures the service routing",
}

SMALL_MODULE: Final = 60
SMALL_MODULES: Final[dict[str, str]] = {}


def public_class_names_are_defined_once(project: Project) -> Iterator[str]:
    """A public class name means one thing in the whole repository.

    Table classes end in `Row` and settings in `Settings`. Events are named as on the wire, and one type is published on
    several topics, with a model for each; no other class has the name of an event.
    """
    places: dict[str, dict[str, str]] = defaultdict(dict)
    for source in project.sources:
        for node in _module_level_classes(source):
            if not node.name.startswith("_") and not node.name.endswith(("Row", "Settings")):
                meaning = "event" if _is_event(source, node) else f"{source.path}:{node.lineno}"
                places[node.name].setdefault(meaning, f"{source.path}:{node.lineno}")
    for name, defined in places.items():
        for place in defined.values() if len(defined) > 1 else ():
            others = ", ".join(other for other in defined.values() if other != place)
            yield f"{place}: rename {name} by what it means here; it is also defined in {others}"


def modules_are_not_named_by_gerunds(project: Project) -> Iterator[str]:
    """A module is named by the concept that it holds: a noun."""
    folders = set()
    for source in project.sources:
        path = PurePosixPath(source.path)
        folders |= {str(parent) for parent in path.parents}
        if path.stem.endswith("ing") and source.path not in GERUNDS and "migrations" not in path.parts:
            yield f"{source.path}:1: name the module by the concept that it holds, a noun, not by a gerund"
    for folder in sorted(folders):
        name = PurePosixPath(folder).name
        if name.endswith("ing") and name not in GERUND_PACKAGES:
            yield f"{folder}:1: name the package by the concept that it holds, a noun, not by a gerund"


def small_modules_have_more_than_one_importer(project: Project) -> Iterator[str]:
    """A module under 60 lines that only one neighbour imports belongs into that neighbour."""
    importers = _importers(project)
    for source in project.sources:
        lines = source.text.count("\n")
        path = PurePosixPath(source.path)
        if lines >= SMALL_MODULE or not _may_be_merged(path) or source.path in SMALL_MODULES:
            continue
        found = importers[source.path]
        if len(found) == 1 and PurePosixPath(next(iter(found))).parent == path.parent:
            yield f"{source.path}:1: merge its {lines} lines into {next(iter(found))}, the only module that imports it"


def services_have_one_floor_plan(project: Project) -> Iterator[str]:
    """Each service has the same files and folders, and so has its http/."""
    for service in SERVICES:
        yield from _differences(project, f"services/{service}", SERVICE_ENTRIES, SERVICE_ENTRIES)
        http = f"services/{service}/http"
        allowed = HTTP_ENTRIES | FURTHER_HTTP_ENTRIES.get(http, {}).keys()
        yield from _differences(project, http, HTTP_ENTRIES - MISSING_HTTP_ENTRIES.get(http, {}).keys(), allowed)


def services_are_created_alike(project: Project) -> Iterator[str]:
    """Each app.py has `create_service(settings: <Name>Settings) -> Service`."""
    for service in SERVICES:
        path = f"services/{service}/app.py"
        wanted = f"create_service(settings: {service.capitalize()}Settings) -> Service"
        module = ast.parse(project.files.get(path, ""))
        if wanted not in {_signature(node) for node in module.body if isinstance(node, ast.FunctionDef)}:
            yield f"{path}:1: define {wanted}"


def the_kit_has_few_entries(project: Project) -> Iterator[str]:
    """shared/kit has at most twelve entries at its top."""
    entries = sorted(project.entries("shared/kit"))
    if len(entries) > MOST_KIT_ENTRIES:
        most = f"until {MOST_KIT_ENTRIES} entries are left, not {len(entries)}"
        yield f"shared/kit:1: move modules into its packages {most}: {' '.join(entries)}"


def the_bench_does_not_import_tests(project: Project) -> Iterator[str]:
    """What bench/ and tests/ share is in deploy/local, so that measurements do not depend on tests."""
    for source in project.sources:
        for node in source.nodes if source.path.startswith("bench/") else ():
            for name in imported_names(node):
                if name.split(".")[0] == "tests":
                    yield f"{source.path}:{getattr(node, 'lineno', 1)}: move what it needs of {name} to deploy/local"


def _differences(project: Project, folder: str, needed: AbstractSet[str], allowed: AbstractSet[str]) -> Iterator[str]:
    entries = project.entries(folder)
    for missing in sorted(needed - entries):
        yield f"{folder}/{missing}:1: add this entry of the floor plan"
    for other in sorted(entries - allowed):
        yield f"{folder}/{other}:1: move this into an entry of the floor plan: {' '.join(sorted(allowed))}"


def _signature(node: ast.FunctionDef) -> str:
    return f"{node.name}({ast.unparse(node.args)}) -> {ast.unparse(node.returns) if node.returns else None}"


def _module_level_classes(source: PythonFile) -> Iterator[ast.ClassDef]:
    return (node for node in ast.iter_child_nodes(source.tree) if isinstance(node, ast.ClassDef))


def _is_event(source: PythonFile, node: ast.ClassDef) -> bool:
    fields = {ast.unparse(part.target) for part in node.body if isinstance(part, ast.AnnAssign)}
    return source.path.startswith("shared/events/") and "type" in fields


def _may_be_merged(path: PurePosixPath) -> bool:
    prescribed = path.parts[0] == "services" and len(path.parts) == len(("services", "name", "app.py"))
    return path.parts[0] != "tests" and "migrations" not in path.parts and path.stem[:2] != "__" and not prescribed


def _importers(project: Project) -> dict[str, set[str]]:
    """Find the modules of the product that import each module, also by a name that its package hands on."""
    paths = {_module_name(source.path): source.path for source in project.sources}
    uses: dict[str, set[str]] = defaultdict(set)
    for source in project.sources:
        if not source.path.startswith("tests/"):
            for name in _all_imported_names(source):
                uses[source.path].add(name)
    handed_on = _handed_on(project, paths)
    importers: dict[str, set[str]] = defaultdict(set)
    for importer, names in uses.items():
        for name in names:
            module = _module_of(handed_on.get(name, name), paths)
            if module and module != importer:
                importers[module].add(importer)
    return {path: _without_own_package(path, importers[path]) for path in paths.values()}


def _without_own_package(path: str, importers: set[str]) -> set[str]:
    """Leave out the package that hands the module's names on, where others import them from there."""
    own = str(PurePosixPath(path).with_name("__init__.py"))
    return importers - {own} or importers


def _handed_on(project: Project, paths: dict[str, str]) -> dict[str, str]:
    """Map each name that a package imports from its own modules to where it is defined."""
    handed_on: dict[str, str] = {}
    for source in project.sources:
        if not source.path.endswith("/__init__.py"):
            continue
        package = _module_name(source.path)
        for node in source.nodes:
            if isinstance(node, ast.ImportFrom) and node.module in paths:
                handed_on |= {
                    f"{package}.{alias.asname or alias.name}": f"{node.module}.{alias.name}" for alias in node.names
                }
    return handed_on


def _all_imported_names(source: PythonFile) -> Iterator[str]:
    for node in source.nodes:
        yield from imported_names(node)


def _module_of(name: str, paths: dict[str, str]) -> str | None:
    return paths.get(name) or paths.get(name.rpartition(".")[0])


def _module_name(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

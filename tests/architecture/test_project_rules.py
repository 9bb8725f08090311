"""The whole project keeps the rules about all of its files, and each rule sees what breaks it."""

import pytest

from tests.architecture import documents, layout, outbox_sql, prose, vocabulary
from tests.architecture.layout import ProjectRule
from tests.architecture.source import Project, read_whole_project

RULES: list[ProjectRule] = [
    layout.public_class_names_are_defined_once,
    layout.modules_are_not_named_by_gerunds,
    layout.small_modules_have_more_than_one_importer,
    layout.services_have_one_floor_plan,
    layout.services_are_created_alike,
    layout.the_bench_does_not_import_tests,
    layout.the_kit_has_few_entries,
    outbox_sql.only_the_outbox_module_writes_outbox_rows,
    vocabulary.no_old_word_names_anything,
    prose.prose_names_its_actors,
    prose.names_of_tests_name_their_actors,
    documents.lines_of_documents_wrap,
    documents.paths_in_documents_exist,
]

EMPTY_ENTRIES = (
    *("__init__.py", "__main__.py", "settings.py", "handlers.py", "tables.py", "migrations/env.py"),
    *(
        f"{folder}/__init__.py"
        for folder in ("http", "http/api", "http/pages", "workers", "use_cases", "domain", "store")
    ),
    "http/openapi.py",
)


def floor_plan(changes: dict[str, str | None]) -> dict[str, str]:
    """Return four services as they must be, with changes; None takes a file away."""
    plan: dict[str, str | None] = {}
    for service in layout.SERVICES:
        plan |= {f"services/{service}/{entry}": "" for entry in EMPTY_ENTRIES}
        plan[f"services/{service}/app.py"] = (
            f"def create_service(settings: {service.capitalize()}Settings) -> Service: ..."
        )
    plan["services/intake/http/translations.py"] = plan["services/intake/http/locales/en.toml"] = ""
    return {path: text for path, text in (plan | changes).items() if text is not None}


SHORT = "a = 1\n" * (layout.SMALL_MODULE - 1)
LONG = "a = 1\n" * layout.SMALL_MODULE
MANY = {f"shared/kit/package{number}/__init__.py": "" for number in range(12)}
EVENT = 'class CaseSubmitted(Event):\n    type: Literal["case.submitted.v1"]'
INSERT = '''\
async def write(tx):
    """Write rows; says nothing about INSERT INTO outbox."""
    await tx.execute("{}")
'''

BROKEN: list[tuple[ProjectRule, dict[str, str], str]] = [
    (
        layout.public_class_names_are_defined_once,
        {"shared/a.py": "class Case: ...", "tests/b.py": "\nclass Case: ..."},
        "tests/b.py:2",
    ),
    (
        layout.public_class_names_are_defined_once,
        {"shared/events/intake.py": EVENT, "services/intake/domain/case.py": "class CaseSubmitted: ..."},
        "services/intake/domain/case.py:1",
    ),
    (
        layout.public_class_names_are_defined_once,
        {"shared/events/intake.py": "class Place: ...", "shared/events/wire.py": "class Place: ..."},
        "shared/events/wire.py:1",
    ),
    (layout.modules_are_not_named_by_gerunds, {"shared/kit/sending.py": ""}, "shared/kit/sending.py:1"),
    (layout.modules_are_not_named_by_gerunds, {"tests/unit/test_sending.py": ""}, "tests/unit/test_sending.py:1"),
    (layout.modules_are_not_named_by_gerunds, {"services/intake/filing/a.py": ""}, "services/intake/filing:1"),
    (layout.modules_are_not_named_by_gerunds, {"services/intake/routing.py": ""}, "services/intake/routing.py:1"),
    (
        layout.small_modules_have_more_than_one_importer,
        {"shared/a.py": SHORT, "shared/b.py": "from shared.a import a"},
        "shared/a.py:1",
    ),
    (
        layout.small_modules_have_more_than_one_importer,
        {"shared/a.py": SHORT, "shared/b.py": "from shared import a", "tests/c.py": "import shared.a"},
        "shared/a.py:1",
    ),
    (
        layout.small_modules_have_more_than_one_importer,
        {"shared/a.py": SHORT, "shared/__init__.py": "from shared.a import a", "shared/b.py": "from shared import a"},
        "shared/a.py:1",
    ),
    (
        layout.services_have_one_floor_plan,
        floor_plan({"services/intake/desk.py": ""}),
        "services/intake/desk.py:1",
    ),
    (
        layout.services_have_one_floor_plan,
        floor_plan({"services/metrics/use_cases/__init__.py": None}),
        "services/metrics/use_cases/:1",
    ),
    (
        layout.services_have_one_floor_plan,
        floor_plan({"services/routing/tables.py": None, "services/routing/tables/cases.py": ""}),
        "services/routing/tables/:1",
    ),
    (
        layout.services_have_one_floor_plan,
        floor_plan({"services/routing/http/triage.py": ""}),
        "services/routing/http/triage.py:1",
    ),
    (
        layout.services_have_one_floor_plan,
        floor_plan({"services/routing/http/pages/__init__.py": None}),
        "services/routing/http/pages/:1",
    ),
    (
        layout.services_are_created_alike,
        floor_plan({"services/intake/app.py": "def create_app(settings: IntakeSettings) -> Starlette: ..."}),
        "services/intake/app.py:1",
    ),
    (
        layout.services_are_created_alike,
        floor_plan({"services/metrics/app.py": "def create_service(settings: Settings) -> Service: ..."}),
        "services/metrics/app.py:1",
    ),
    (layout.the_bench_does_not_import_tests, {"bench/a.py": "import sys\nfrom tests import b"}, "bench/a.py:2"),
    (layout.the_kit_has_few_entries, MANY | {"shared/kit/__init__.py": ""}, "shared/kit:1"),
    *(
        (outbox_sql.only_the_outbox_module_writes_outbox_rows, {path: INSERT.format(sql)}, f"{path}:3")
        for path, sql in [
            ("services/intake/store/cases.py", "INSERT INTO outbox (topic) VALUES (%s)"),
            ("services/routing/store/cases.py", "WITH a AS (SELECT 1) DELETE FROM outbox USING a"),
            ("shared/kit/relay/outbox_rows.py", 'delete from \\"outbox\\" where id = 1'),
            ("shared/kit/dead_letters/redrive.py", "UPDATE intake.outbox SET raw = NULL"),
            ("deploy/a.py", "COPY outbox (topic) FROM STDIN"),
            ("deploy/a.py", "TRUNCATE outbox"),
            ("services/metrics/store/cells.py", "SELECT id FROM outbox ORDER BY id"),
            ("services/metrics/store/cells.py", "SELECT id FROM cases JOIN outbox USING (id)"),
        ]
    ),
    (
        outbox_sql.only_the_outbox_module_writes_outbox_rows,
        {"services/intake/store/a.py": 'SQL = f"INSERT INTO outbox ({COLUMNS}) VALUES ({VALUES})"'},
        "services/intake/store/a.py:1",
    ),
    (
        outbox_sql.only_the_outbox_module_writes_outbox_rows,
        {"services/intake/store/a.py": 'SQL = FIRST + "DELETE FROM " + "outbox"'},
        "services/intake/store/a.py:1",
    ),
    (
        outbox_sql.only_the_outbox_module_writes_outbox_rows,
        {"deploy/postgres/a.sql": "DELETE FROM outbox;"},
        "deploy/postgres/a.sql:1",
    ),
    *(
        (vocabulary.no_old_word_names_anything, {path: code}, f"{path}:1")
        for path, code in [
            ("shared/kit/a.py", "class Tray: ..."),
            ("tests/a.py", "from services.routing.use_cases.context import Desk"),
            ("deploy/a.py", "at = kit.Pauses(1)"),
            ("shared/events/a.py", "class HelpRequested: ..."),
            ("bench/a.py", "await relay(announced=False, at_once=True)"),
            ("services/intake/a.py", "def say(): ..."),
            ("services/routing/a.py", "async def _keep(): ..."),
            ("shared/policy/a.py", "def narrow(plan, other): ..."),
            ("shared/kit/relay/a.py", "round.taken = 1"),
            ("shared/kit/a.py", "def run(rest: float) -> None: ..."),
            ("shared/kit/service/a.py", "class Place: ..."),
            ("shared/kit/a.py", "class Route: ..."),
            ("services/metrics/domain/a.py", "waiting = 3"),
            ("services/notifications/store/a.py", "_MEET = 'INSERT'"),
            ("tests/a.py", "def test_it(world): ..."),
            ("services/intake/http/tray.py", ""),
            ("tests/unit/intake/test_tray.py", ""),
        ]
    ),
    *(
        (prose.prose_names_its_actors, {path: text}, place)
        for path, text, place in [
            ("shared/a.py", '"""Let\n\nwhoever asks read it."""', "shared/a.py:3"),
            ("shared/a.py", "a = 1  # nobody reads this", "shared/a.py:1"),
            ("tests/a.py", 'log.info("Somebody has called")', "tests/a.py:1"),
            ("deploy/a.py", 'help = f"Read {it} anew."', "deploy/a.py:1"),
            (
                "services/intake/http/pages/a.html",
                "<p>\nAn agency that\nthere is not.",
                "services/intake/http/pages/a.html:2",
            ),
            ("services/intake/http/locales/en.toml", 'a = "Nobody knows"', "services/intake/http/locales/en.toml:1"),
            ("docs/a.md", "# A\n\nwhat it stood on has fallen", "docs/a.md:3"),
            ("README.md", "It hears of each case.", "README.md:1"),
            ("deploy/jurisdictions/a.toml", "# The routing book", "deploy/jurisdictions/a.toml:1"),
        ]
    ),
    (
        prose.names_of_tests_name_their_actors,
        {"tests/a.py": "import b\n\nasync def test_a_mail_reaches_nobody_else(): ..."},
        "tests/a.py:3",
    ),
    (documents.lines_of_documents_wrap, {"docs/a.md": "# A\n\n" + "word " * 21}, "docs/a.md:3"),
    (documents.lines_of_documents_wrap, {"README.md": f"[{'word ' * 21}](a.md)"}, "README.md:1"),
    (documents.lines_of_documents_wrap, {"README.md": f"```\na\n```\n{'word ' * 21}"}, "README.md:4"),
    (documents.paths_in_documents_exist, {"docs/a.md": "\nSee `shared/kit/gone.py`."}, "docs/a.md:2"),
    (documents.paths_in_documents_exist, {"docs/a.md": "See (docs/gone.md)."}, "docs/a.md:1"),
    (documents.paths_in_documents_exist, {"docs/a.md": "See tests/gone/, and others"}, "docs/a.md:1"),
    (documents.paths_in_documents_exist, {"docs/a.md": "See `docs/{a,gone}.md`"}, "docs/a.md:1"),
    (documents.paths_in_documents_exist, {"docs/a.md": "See `services/<name>/app.py`"}, "docs/a.md:1"),
]

KEPT: list[tuple[ProjectRule, dict[str, str]]] = [
    (
        layout.public_class_names_are_defined_once,
        {
            "shared/a.py": "class CaseRow: ...\nclass _A: ...\nclass Settings: ...",
            "tests/b.py": "class CaseRow: ...\nclass _A: ...",
        },
    ),
    (
        layout.public_class_names_are_defined_once,
        {"shared/events/intake.py": EVENT, "shared/events/agency_inbox.py": EVENT},
    ),
    (layout.public_class_names_are_defined_once, {"tests/a.py": "def test_a():\n    class A: ...\nclass A: ..."}),
    (layout.modules_are_not_named_by_gerunds, {"shared/events/routing.py": "", "services/routing/app.py": ""}),
    (layout.modules_are_not_named_by_gerunds, {"shared/kit/messaging/outbox.py": ""}),
    (
        layout.small_modules_have_more_than_one_importer,
        {"shared/a.py": SHORT, "shared/b.py": "import shared.a", "shared/c.py": "import shared.a"},
    ),
    (layout.small_modules_have_more_than_one_importer, {"shared/a.py": SHORT, "deploy/b.py": "import shared.a"}),
    (layout.small_modules_have_more_than_one_importer, {"shared/a.py": LONG, "shared/b.py": "import shared.a"}),
    (
        layout.small_modules_have_more_than_one_importer,
        {"shared/a.py": SHORT, "shared/__init__.py": "from shared.a import a", "deploy/b.py": "from shared import a"},
    ),
    (
        layout.small_modules_have_more_than_one_importer,
        {"services/a/settings.py": SHORT, "services/a/app.py": "import services.a.settings"},
    ),
    (layout.services_have_one_floor_plan, floor_plan({})),
    (layout.services_are_created_alike, floor_plan({})),
    (
        layout.the_bench_does_not_import_tests,
        {"bench/a.py": "from deploy import b", "tests/a.py": "import tests.b"},
    ),
    (layout.the_kit_has_few_entries, MANY),
    *(
        (outbox_sql.only_the_outbox_module_writes_outbox_rows, {path: INSERT.format(sql)})
        for path, sql in [
            ("shared/kit/messaging/outbox.py", "INSERT INTO outbox (topic) VALUES (%s)"),
            ("services/intake/migrations/versions/0001_first.py", "INSERT INTO outbox (topic) VALUES (%s)"),
            ("services/intake/store/cases.py", "SELECT place FROM outbox_sequences"),
            ("services/intake/store/cases.py", "The outbox is empty"),
            ("tests/a.py", "DELETE FROM outbox"),
        ]
    ),
    *(
        (vocabulary.no_old_word_names_anything, {path: code})
        for path, code in [
            ("shared/kit/a.py", "from starlette.routing import Route\nroutes = [Route('/', page)]"),
            ("shared/events/a.py", "class Place: ..."),
            ("services/intake/a.py", "first, *rest = words"),
            ("deploy/a.py", "await asyncio.gather(first, second)"),
            ("services/intake/a.py", "keep = note = True"),
            ("tests/unit/routing/test_referral.py", "status = Status.HELD"),
        ]
    ),
    *(
        (prose.prose_names_its_actors, {path: text})
        for path, text in [
            ("shared/a.py", "somebody = anew = 'nobody'"),
            ("deploy/a.py", "reason = 'We have nobody free for this at present.'"),
            ("docs/asyncapi.yaml", "description: whoever"),
        ]
    ),
    (prose.names_of_tests_name_their_actors, {"tests/a.py": "def test_a_user_named_by_nobody1(): ..."}),
    (documents.lines_of_documents_wrap, {"docs/a.md": "| " + "word " * 30}),
    (documents.lines_of_documents_wrap, {"docs/a.md": f"```sh\n{'word ' * 30}\n```"}),
    (documents.lines_of_documents_wrap, {"docs/a.md": f"[a](https://example.org/{'a' * 100})"}),
    (documents.paths_in_documents_exist, {"docs/a.md": "See `docs/{a,b}.md`, docs/*.md: docs/.", "docs/b.md": ""}),
    (documents.paths_in_documents_exist, {"docs/a.md": "`services/<name>/app.py`", "services/x/app.py": ""}),
    (documents.paths_in_documents_exist, {"docs/a.md": "https://example.org/docs/gone.md"}),
]


def sentence(rule: object) -> str:
    return getattr(rule, "__name__", "")


@pytest.mark.parametrize("rule", RULES, ids=sentence)
def test_the_project_keeps_this_rule(rule: ProjectRule) -> None:
    problems = list(rule(read_whole_project()))

    assert not problems, "\n".join([str(rule.__doc__), *problems])


@pytest.mark.parametrize(("rule", "files", "place"), BROKEN, ids=sentence)
def test_a_rule_sees_what_breaks_it(rule: ProjectRule, files: dict[str, str], place: str) -> None:
    problems = list(rule(Project(files)))

    assert [problem for problem in problems if problem.startswith(f"{place}: ")], problems


@pytest.mark.parametrize(("rule", "files"), KEPT, ids=sentence)
def test_a_rule_lets_through_what_keeps_it(rule: ProjectRule, files: dict[str, str]) -> None:
    assert list(rule(Project(files))) == []


@pytest.mark.parametrize("path", [*layout.GERUNDS, *layout.SMALL_MODULES, *outbox_sql.READERS])
def test_a_rule_makes_no_exception_for_a_file_that_is_gone(path: str) -> None:
    assert path in read_whole_project().files

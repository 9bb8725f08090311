"""Every Python file keeps the house rules, and each rule sees what breaks it."""

from textwrap import dedent

import pytest

from tests.architecture import rules
from tests.architecture.rules import Rule
from tests.architecture.source import PythonFile, python_files

BROKEN: list[tuple[Rule, str, str]] = [
    (rules.only_the_database_module_commits, "services/intake/store.py", "await tx.commit()"),
    (rules.only_the_database_module_commits, "services/intake/store.py", "await tx.rollback()"),
    (rules.only_the_database_module_commits, "shared/kit/kafka/clients.py", "await consumer.commit()"),
    (rules.only_the_database_module_commits, "shared/kit/kafka/offsets.py", "await tx.commit()"),
    (rules.only_the_database_module_commits, "shared/kit/messaging/inbox.py", 'await tx.execute("commit")'),
    (rules.pure_modules_read_no_clock_and_no_randomness, "services/intake/domain.py", "now = datetime.now(UTC)"),
    (rules.pure_modules_read_no_clock_and_no_randomness, "services/intake/domain/a.py", "day = datetime.date.today()"),
    (rules.pure_modules_read_no_clock_and_no_randomness, "shared/events/intake.py", "from uuid import uuid4"),
    (rules.pure_modules_read_no_clock_and_no_randomness, "shared/policy/release.py", "import random"),
    (rules.pure_modules_read_no_clock_and_no_randomness, "services/metrics/domain/a.py", "from time import monotonic"),
    (rules.pure_modules_read_no_clock_and_no_randomness, "services/metrics/domain/a.py", "token = os.urandom(8)"),
    (rules.private_modules_of_faststream_are_not_imported, "shared/kit/a.py", "import faststream._internal.types"),
    (rules.private_modules_of_faststream_are_not_imported, "tests/a.py", "from faststream._internal import context"),
    (rules.private_modules_of_faststream_are_not_imported, "tests/a.py", "from faststream import _internal"),
    (rules.every_subscriber_states_its_ack_policy, "shared/kit/kafka/clients.py", "broker.subscriber('t', batch=True)"),
    (rules.modules_have_specific_names, "services/intake/utils.py", ""),
    (rules.modules_have_specific_names, "services/common/store.py", ""),
    (rules.functions_are_short, "deploy/a.py", "def long():\n" + "    step()\n" * 30),
    (rules.functions_are_short, "deploy/a.py", "class A:\n    async def long():\n" + "        step()\n" * 30),
    (rules.handlers_are_shorter, "services/intake/handlers.py", "def on_cases():\n" + "    step()\n" * 11),
    (rules.modules_are_short, "shared/kit/a.py", "a = 1\n" * 301),
    (rules.tests_use_fakes_and_no_patches, "tests/a.py", "from unittest.mock import patch"),
    (rules.tests_use_fakes_and_no_patches, "tests/a.py", "from unittest import mock"),
    (rules.tests_use_fakes_and_no_patches, "tests/a.py", "monkeypatch.setattr(module, 'name', 1)"),
    (rules.tests_use_fakes_and_no_patches, "tests/a.py", "def test_it(mocker): ..."),
    (rules.nothing_is_left_for_later, "shared/a.py", "a = 1  # TODO: make it two"),
    (rules.comments_are_no_banners, "shared/a.py", "# ---- helpers ----"),
    (rules.comments_are_no_banners, "shared/a.py", "a = 1\n########\nb = 2"),
    (rules.nothing_reads_the_environment_at_import, "shared/kit/a.py", "HOME = os.environ['HOME']"),
    (rules.nothing_reads_the_environment_at_import, "deploy/cli/a.py", "from os import getenv\nA = getenv('A')"),
    (rules.nothing_reads_the_environment_at_import, "deploy/cli/a.py", "def run(home=os.environ.get('HOME')): ..."),
    (rules.nothing_reads_the_environment_at_import, "services/intake/app.py", "settings = IntakeSettings()"),
    (rules.nothing_reads_the_environment_at_import, "services/intake/app.py", "class A:\n    home = os.getenv('HOME')"),
    (rules.errors_do_not_derive_from_value_error, "shared/a.py", "class OddError(ValueError): ..."),
]

KEPT: list[tuple[Rule, str, str]] = [
    (rules.only_the_database_module_commits, "shared/kit/kafka/offsets.py", "await consumer.commit(finished)"),
    (rules.only_the_database_module_commits, "shared/kit/database/database.py", "await tx.commit()"),
    (rules.pure_modules_read_no_clock_and_no_randomness, "services/intake/domain.py", "at = around.now"),
    (rules.pure_modules_read_no_clock_and_no_randomness, "services/intake/domain.py", "from datetime import time"),
    (rules.pure_modules_read_no_clock_and_no_randomness, "services/intake/app.py", "now = datetime.now(UTC)"),
    (
        rules.every_subscriber_states_its_ack_policy,
        "a.py",
        "broker.subscriber('t', ack_policy=AckPolicy.NACK_ON_ERROR)",
    ),
    (rules.functions_are_short, "deploy/a.py", "def just_so():\n" + "    step()\n" * 29),
    (rules.handlers_are_shorter, "services/intake/handlers.py", 'def on_a():\n    """A."""\n' + "    step()\n" * 10),
    (rules.modules_are_short, "services/intake/migrations/versions/0001_first.py", "a = 1\n" * 301),
    (rules.nothing_is_left_for_later, "shared/a.py", "word = 'TODO'"),
    (rules.nothing_reads_the_environment_at_import, "services/intake/settings.py", "HOME = os.environ['HOME']"),
    (rules.nothing_reads_the_environment_at_import, "deploy/a.py", "def main():\n    return os.environ['HOME']"),
    (rules.nothing_reads_the_environment_at_import, "deploy/a.py", "if __name__ == '__main__':\n    print(os.environ)"),
]

RULES = list(dict.fromkeys(rule for rule, _, _ in BROKEN))


def sentence(rule: object) -> str | None:
    return getattr(rule, "__name__", None)


@pytest.mark.parametrize("rule", RULES, ids=sentence)
def test_the_project_keeps_this_rule(rule: Rule) -> None:
    problems = [problem for source in python_files() for problem in rule(source)]

    assert not problems, "\n".join([str(rule.__doc__), *problems])


@pytest.mark.parametrize(("rule", "path", "snippet"), BROKEN, ids=sentence)
def test_a_rule_sees_what_breaks_it(rule: Rule, path: str, snippet: str) -> None:
    assert list(rule(PythonFile(path, dedent(snippet))))


@pytest.mark.parametrize(("rule", "path", "snippet"), KEPT, ids=sentence)
def test_a_rule_lets_through_what_keeps_it(rule: Rule, path: str, snippet: str) -> None:
    assert not list(rule(PythonFile(path, dedent(snippet))))

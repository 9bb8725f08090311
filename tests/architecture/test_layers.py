"""Each import contract is seen failing: it is broken in a copy of the tree."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

from tests.architecture.source import ROOT

LINT = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]

BREACHES = [
    ("downwards", "shared.kit.clock", "services.intake.domain"),
    ("downwards", "shared.events", "deploy.contract"),
    ("downwards", "services.routing.domain", "deploy.contract"),
    ("strangers", "services.routing.store", "services.intake.domain"),
    ("strangers", "services.metrics.domain", "services.routing.tables"),
    ("inwards", "services.intake.handlers", "services.intake.app"),
    ("inwards", "services.routing.http", "services.routing.handlers"),
    ("inwards", "services.metrics.http", "services.metrics.workers.rollups"),
    ("inwards", "services.intake.use_cases.context", "services.intake.http"),
    ("inwards", "services.notifications.use_cases.deliveries", "services.notifications.workers.smtp"),
    ("inwards", "services.routing.store.cases", "services.routing.use_cases.context"),
    ("inwards", "services.intake.store.cases", "services.intake.settings"),
    ("inwards", "services.notifications.store", "services.notifications.handlers"),
    ("inwards", "services.metrics.tables", "services.metrics.store"),
    ("inwards", "services.routing.domain", "services.routing.tables"),
    ("pure", "services.intake.domain", "sqlmodel"),
    ("pure", "services.routing.domain", "shared.kit.database.database"),
    ("pure", "services.metrics.domain", "random"),
    ("pure", "shared.events", "opentelemetry"),
    ("pure", "shared.policy", "os"),
    ("pure", "shared.city.city", "pathlib"),
    ("shared", "shared.policy", "shared.city.city"),
    ("shared", "shared.events", "shared.policy.plan"),
    ("shared", "shared.city.reader", "shared.kit.clock"),
    ("stores", "services.intake.store", "shared.kit.kafka.clients"),
    ("stores", "services.metrics.tables", "faststream"),
    ("handlers", "services.routing.handlers", "psycopg"),
    ("handlers", "services.notifications.handlers", "services.notifications.tables"),
    ("kafka", "services.metrics.app", "aiokafka"),
    ("kit", "shared.kit.observability.instruments", "shared.kit.messaging.messages"),
    ("kit", "shared.kit.kafka.clients", "shared.kit.consumer.consumer"),
    ("kit", "shared.kit.consumer.consumer", "shared.kit.relay.relay"),
    ("faststream", "shared.kit.consumer.supervisor", "faststream"),
    ("partners", "deploy.local.agencies", "shared.kit.service.settings"),
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give these tests a project of their own to spoil."""
    copy = tmp_path_factory.mktemp("tree")
    for folder in ("services", "shared", "deploy"):
        copytree(ROOT / folder, copy / folder, ignore=ignore_patterns("__pycache__"))
    (copy / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    return copy


@contextmanager
def imported(tree: Path, module: str, other: str) -> Iterator[None]:
    """Let one module import another for a while."""
    path = tree / module.replace(".", "/")
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    before = file.read_bytes()
    file.write_bytes(before + f"\nimport {other}\n".encode())
    try:
        yield
    finally:
        file.write_bytes(before)


def lint(tree: Path, contract: str) -> subprocess.CompletedProcess[str]:
    """Check one contract."""
    return subprocess.run([*LINT, "--contract", contract], cwd=tree, capture_output=True, text=True, check=False)  # noqa: S603


@pytest.mark.parametrize(("contract", "module", "other"), BREACHES)
def test_a_broken_contract_is_seen(tree: Path, contract: str, module: str, other: str) -> None:
    with imported(tree, module, other):
        done = lint(tree, contract)

    assert done.returncode == 1
    assert f"{module} -> {other} (l." in " ".join(done.stdout.split())


def test_a_module_without_a_place_is_seen(tree: Path) -> None:
    stray = tree / "services/intake/stray.py"
    stray.write_text('"""A module that no layer lists."""\n')

    try:
        done = lint(tree, "inwards")
    finally:
        stray.unlink()

    assert done.returncode == 1
    assert "stray" in done.stdout


def test_every_contract_is_broken_by_a_test() -> None:
    listed = (ROOT / "pyproject.toml").read_text(encoding="utf-8").split("[tool.importlinter]")[1].splitlines()

    assert [line.split('"')[1] for line in listed if line.startswith("id = ")] == list(
        dict.fromkeys(contract for contract, _, _ in BREACHES)
    )

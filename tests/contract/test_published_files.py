"""`python -m deploy.contract` keeps the published files, and says when they are not as they must be."""

import os
import subprocess
import sys
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

from deploy.contract.compatibility import RELEASED, ReleaseError, incompatible_changes, release
from deploy.contract.documents import contract_documents, stale_documents, write_documents

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Give a test the published files, freshly written, to spoil."""
    copytree(ROOT / RELEASED, tmp_path / RELEASED)
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    list(write_documents(tmp_path))
    return tmp_path


@pytest.fixture
def tree(project: Path) -> Path:
    """Give a test the code as well."""
    for folder in ("services", "shared", "deploy"):
        copytree(ROOT / folder, project / folder, ignore=ignore_patterns("__pycache__"))
    return project


def check(tree: Path) -> subprocess.CompletedProcess[str]:
    """Run the command's check on a tree."""
    command = [sys.executable, "-m", "deploy.contract", "--check"]
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)  # noqa: S603


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def stale(project: Path) -> set[str]:
    return set(stale_documents(project, contract_documents(project)))


def test_what_was_just_written_is_as_it_must_be(project: Path) -> None:
    assert stale(project) == set()
    assert list(incompatible_changes(project)) == []


def test_files_that_are_edited_missing_or_left_over_are_stale(project: Path) -> None:
    edit(project / "docs/asyncapi.yaml", "Handoff events", "Old events")
    (project / "docs/schemas/intake.cases/case.submitted.v1.json").unlink()
    (project / "docs/examples/intake.cases/case.forgotten.v1.json").write_text("{}")

    assert stale(project) == {
        "docs/asyncapi.yaml",
        "docs/schemas/intake.cases/case.submitted.v1.json",
        "docs/examples/intake.cases/case.forgotten.v1.json",
    }


def test_writing_mends_what_is_stale(project: Path) -> None:
    (project / "docs/asyncapi.yaml").unlink()
    (project / "docs/examples/intake.cases/case.forgotten.v1.json").write_text("{}")

    assert set(write_documents(project)) == {"docs/asyncapi.yaml", "docs/examples/intake.cases/case.forgotten.v1.json"}
    assert stale(project) == set()


def test_a_removed_field_stops_the_check_which_names_the_stale_files_too(tree: Path) -> None:
    edit(tree / "shared/events/intake.py", '    language: str = "en"\n', "")
    edit(tree / "deploy/contract/examples.py", '        language="es",\n        origin', "        origin")

    done = check(tree)

    assert done.returncode == 1
    assert "stale: docs/schemas/intake.cases/case.submitted.v1.json" in done.stderr
    assert (
        "not compatible with the last release: intake.cases/case.submitted.v1: language: the field has" in done.stderr
    )


def test_a_retyped_field_stops_the_check(tree: Path) -> None:
    edit(tree / "shared/events/referrals.py", "    agency_controls: bool\n", "    agency_controls: int\n")

    done = check(tree)

    assert done.returncode == 1
    assert "referral.held.v1: agency_controls: its type was 'boolean' and is 'integer'" in done.stderr


def test_a_version_is_released_once(project: Path) -> None:
    release(project, "99.0.0")

    assert list(incompatible_changes(project)) == []
    with pytest.raises(ReleaseError, match="has been released already"):
        release(project, "99.0.0")


def test_what_breaks_a_promise_cannot_be_released(project: Path) -> None:
    edit(next((project / RELEASED).glob("*/intake.cases/case.withdrawn.v1.json")), "withdrawn_at", "taken_back_at")

    with pytest.raises(ReleaseError, match="taken_back_at: the field has been removed"):
        release(project, "99.0.0")

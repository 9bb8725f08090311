"""`python -m deploy.contract` keeps the published files, and says when they are not as they must be."""

import os
import subprocess
import sys
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Give a test a project of its own to spoil."""
    for folder in ("services", "shared", "deploy", "docs"):
        copytree(ROOT / folder, tmp_path / folder, ignore=ignore_patterns("__pycache__"))
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    return tmp_path


def contract(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a tree."""
    command = [sys.executable, "-m", "deploy.contract", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)  # noqa: S603


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_what_was_just_written_is_as_it_must_be(tree: Path) -> None:
    contract(tree)

    assert contract(tree, "--check").returncode == 0


def test_stale_files_are_named(tree: Path) -> None:
    edit(tree / "docs/asyncapi.yaml", "Handoff events", "Old events")
    (tree / "docs/schemas/intake.cases/case.submitted.v1.json").unlink()
    (tree / "docs/examples/intake.cases/case.forgotten.v1.json").write_text("{}")

    done = contract(tree, "--check")

    assert done.returncode == 1
    assert {line.split()[1] for line in done.stderr.splitlines()} >= {
        "docs/asyncapi.yaml",
        "docs/schemas/intake.cases/case.submitted.v1.json",
        "docs/examples/intake.cases/case.forgotten.v1.json",
    }


def test_a_removed_field_stops_the_check_also_when_the_files_are_fresh(tree: Path) -> None:
    edit(tree / "shared/events/intake.py", '    language: str = "en"\n', "")
    edit(tree / "deploy/contract/examples.py", '        language="es",\n        origin', "        origin")

    assert contract(tree).returncode == 1
    done = contract(tree, "--check")

    assert done.returncode == 1
    assert "stale" not in done.stderr
    assert (
        "not compatible with the last release: intake.cases/case.submitted.v1: language: the field has" in done.stderr
    )


def test_a_retyped_field_stops_the_check(tree: Path) -> None:
    edit(tree / "shared/events/routing.py", "    agency_controls: bool\n", "    agency_controls: int\n")

    done = contract(tree, "--check")

    assert done.returncode == 1
    assert "referral.held.v1: agency_controls: its type was 'boolean' and is 'integer'" in done.stderr


def test_a_version_is_released_once(tree: Path) -> None:
    assert contract(tree, "--release", "99.0.0").returncode == 0

    again = contract(tree, "--release", "99.0.0")

    assert again.returncode == 1
    assert "has been released already" in again.stderr

"""The demonstration as a newcomer runs it, without a terminal: it ends, and its counts agree."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.servers.temporary import temporary_folder

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.servers, pytest.mark.slow, pytest.mark.timeout(300)]


def demonstrate(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"HANDOFF_PORTS": "any", "COLUMNS": "120"}
    command = [sys.executable, "-m", "deploy.local.demo", "--data-dir", str(folder), *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280, check=False)  # noqa: S603


def test_made_up_cases_are_filed_answered_and_accounted_for() -> None:
    with temporary_folder() as folder:
        ended = demonstrate(folder, "--cases", "40")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "40 filed, 40 cases" in ended.stdout
    assert "NO" not in ended.stdout.split("Reconciliation")[1]


def test_a_platform_that_cannot_start_is_told_and_the_exit_code_says_so() -> None:
    with temporary_folder() as folder:
        (folder / "run").write_text("not a folder")
        ended = demonstrate(folder, "--cases", "1")
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr

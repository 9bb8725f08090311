"""`handoff agreements check` prints errors and warnings, lists the agreements, and sets the exit code."""

import shutil
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from deploy.cli.agreements import agreements_app
from deploy.cli.main import Commands
from shared.kit.service.settings import SAMPLE_CITY

FINE_DAY = "2026-03-02"

CIA = """
[[agency]]
id = "cia"
name = "An agency"
[[agency.program]]
id = "desk"
name = "Desk"
needs = ["noise"]
answer_within = "P1D"
resolve_within = "P1D"
"""


def run(*arguments: str | Path, **environment: str) -> Result:
    return CliRunner().invoke(agreements_app, ["check", *map(str, arguments)], env={"COLUMNS": "200", **environment})


@pytest.fixture
def city(tmp_path: Path) -> Path:
    """Provide a copy of the sample city that a test can break."""
    return shutil.copytree(SAMPLE_CITY, tmp_path / "city")


def spoil(folder: Path, right: str, wrong: str) -> str:
    file = folder / "shelter-beds.toml"
    text = file.read_text(encoding="utf-8")
    assert right in text
    file.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    return str(file)


def test_the_sample_city_has_no_findings() -> None:
    done = run("--at", FINE_DAY)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[-1] == "14 agreements, 0 errors, 0 warnings."
    police = next(line for line in lines if line.startswith("health-police"))
    assert police.split() == ["health-police", "1", "active", "2028-12-31", "2028-06-30", "dohmh", "nypd"]


def test_an_error_is_printed_as_editors_like_it_and_fails(city: Path) -> None:
    file = spoil(city / "agreements", 'party = "hra"', 'party = "hpd"')
    done = run(city, "--at", FINE_DAY)
    assert done.exit_code == 1
    assert f"{file}:24: error: hpd is no party to this agreement" in done.stdout
    assert "14 agreements, 1 error, 0 warnings." in done.stdout


def test_a_warning_fails_nothing(city: Path) -> None:
    done = run(city / "agreements", "--at", "2028-11-15")
    assert done.exit_code == 0
    assert "shelter-beds.toml:12: warning: ends on 2028-12-31, in 46 days" in done.stdout
    assert "shelter-beds.toml:13: warning: was to be reviewed by 2028-06-30" in done.stdout


def test_a_folder_of_agreements_is_checked_with_the_named_city(city: Path, tmp_path: Path) -> None:
    drafts = tmp_path / "drafts"
    shutil.copytree(city / "agreements", drafts)
    for file in drafts.glob("*.toml"):
        file.write_text(file.read_text(encoding="utf-8").replace('"hra"', '"cia"'), encoding="utf-8")
    with (city / "agencies.toml").open("a", encoding="utf-8") as agencies:
        agencies.write(CIA)

    assert "there is no agency cia" in run(drafts).stdout
    for done in (run(drafts, "--city", city), run(drafts, HANDOFF_JURISDICTION=str(city))):
        assert "there is no agency cia" not in done.stdout
        assert "14 agreements, 0 errors" in done.stdout


def test_with_the_file_of_keys_it_finds_sealed_shares_for_an_agency_without_a_key(tmp_path: Path) -> None:
    keys = tmp_path / "partners.json"
    keys.write_text('{"dohmh": {"public_jwks": [{"kty": "OKP"}]}, "elder-team": {"public_jwks": []}}')
    assert "no public key" not in run("--at", FINE_DAY).stdout
    told = run("--at", FINE_DAY, "--partners", keys).stdout
    assert "warning: elder-team has no public key: what is sealed for it is withheld" in told
    assert "dohmh has no public key" not in told
    keys.write_text("[]")
    assert run("--partners", keys).exit_code == 2


def test_an_unreadable_city_is_an_error(city: Path) -> None:
    (city / "needs.toml").unlink()
    done = run(city)
    assert done.exit_code == 1
    assert "needs.toml:1: error: cannot be read" in done.stderr


def test_the_command_is_one_of_handoff() -> None:
    assert Commands().get_command(None, "agreements") is not None
    assert get_command(agreements_app) is not None

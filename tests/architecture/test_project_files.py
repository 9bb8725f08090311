"""What the documents say can be typed, and the files beside the code are as they must be."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from tests.architecture.commands import commands_in, commands_of_makefile, is_there, own_scripts
from tests.architecture.source import ROOT

DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
WRITTEN_BY_HAND = ("*.md", "*.toml", "*.yml", "*.yaml", "*.sql", "*.jinja", "*.mako", "*.sh", "Makefile", "Dockerfile")


def below_root(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def text_files() -> list[Path]:
    """List what people write that is not Python."""
    folders = [ROOT / name for name in ("services", "shared", "deploy", "docs", "requirements")]
    inside = (path for folder in folders for pattern in WRITTEN_BY_HAND for path in folder.rglob(pattern))
    return [*(path for pattern in WRITTEN_BY_HAND for path in ROOT.glob(pattern)), *inside]


def addresses_in(requirements: str) -> list[str]:
    return re.findall(r"(?m)^.*(?:https?://|--(?:extra-)?index-url|--find-links|-i ).*$", requirements)


@pytest.mark.parametrize("document", DOCUMENTS, ids=below_root)
def test_every_command_in_a_document_exists(document: Path) -> None:
    assert [said for said in commands_in(document.read_text(encoding="utf-8")) if not is_there(said)] == []


def test_a_command_that_does_not_exist_is_seen() -> None:
    text = (
        "```sh\nmake tea\npython -m services.bakery\nhandoff bake bread     handoff eat\n"
        "make test && make bed\n```\nand `make coffee`"
    )

    missing = [said for said in commands_in(text) if not is_there(said)]

    assert missing == [
        "make tea",
        "python -m services.bakery",
        "handoff bake bread",
        "handoff eat",
        "make bed",
        "make coffee",
    ]


def test_every_command_in_the_makefile_exists() -> None:
    commands = set(commands_of_makefile()) - own_scripts().keys()

    assert [command for command in sorted(commands) if not is_there(command)] == []


@pytest.mark.parametrize(("name", "target"), own_scripts().items())
def test_every_command_that_is_installed_calls_something(name: str, target: str) -> None:
    module, _, attribute = target.partition(":")

    assert callable(getattr(import_module(module), attribute)), name


@pytest.mark.parametrize("service", ["intake", "routing", "notifications", "metrics"])
def test_every_service_runs_as_a_module(service: str) -> None:
    assert is_there(f"python -m services.{service}")


@pytest.mark.parametrize("name", ["runtime.txt", "local.txt", "dev.txt"])
def test_requirements_are_pinned_by_digest_and_name_no_address(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")

    assert addresses_in(text) == []
    assert "--hash=sha256:" in text


@pytest.mark.parametrize(
    "line", ["--index-url https://example.org/simple", "--find-links wheels", "a @ https://a.org/a.whl"]
)
def test_an_address_in_requirements_is_seen(line: str) -> None:
    assert addresses_in(f"a==1\n{line}\nb==2\n") == [line]


def test_nothing_is_left_for_later_outside_of_python_either() -> None:
    later = re.compile(r"\b(TODO|FIXME|XXX)\b(?!`)")

    assert [below_root(path) for path in text_files() if later.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=below_root)
def test_every_link_in_a_document_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?://|mailto:|#)([^)#\s]+)", document.read_text(encoding="utf-8"))

    assert [link for link in links if not (document.parent / link).exists()] == []

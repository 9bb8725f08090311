"""Reads the files of a folder of agreements, each by itself, so that one that is wrong does not hide the next."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from services.routing.jurisdiction.agreements.findings import AgreementFile, Finding, Severity
from services.routing.jurisdiction.agreements.lines import Lines, lines_of, nearest
from services.routing.jurisdiction.agreements.lines import Path as Place
from shared.policy.agreements import Agreement

M = TypeVar("M", bound=BaseModel)

SUBFOLDER = "agreements"
"""Where in a jurisdiction's folder the agreements lie."""

_LINE = re.compile(r"\(at line (\d+), column \d+\)")
_WHOLE = "Value error, "


@dataclass(frozen=True, slots=True)
class Reading:
    """The agreements that could be read, and what is wrong with the others."""

    files: tuple[AgreementFile, ...]
    errors: tuple[Finding, ...]


def read_agreements(folder: Path) -> Reading:
    """Read every `*.toml` of a folder, in the order of names; a folder that is missing has no agreements."""
    files: list[AgreementFile] = []
    errors: list[Finding] = []
    for path in sorted(folder.glob("*.toml")):
        read = _read(path)
        if isinstance(read, AgreementFile):
            files.append(read)
        else:
            errors += read
    return Reading(tuple(files), (*errors, *_repeated(files)))


def read_texts(texts: Mapping[str, str]) -> Reading:
    """Read agreements from texts, by the names of their files."""
    parsed = [parse_agreement(file, texts[file]) for file in sorted(texts)]
    files = [each for each in parsed if isinstance(each, AgreementFile)]
    errors = [finding for each in parsed if not isinstance(each, AgreementFile) for finding in each]
    return Reading(tuple(files), (*errors, *_repeated(files)))


def parse_agreement(file: str, text: str) -> AgreementFile | list[Finding]:
    """Make an agreement of a text, or say what is wrong in it."""
    parsed = parse_toml(file, text, Agreement)
    return parsed if isinstance(parsed, list) else AgreementFile(file, text, *parsed)


def parse_toml(file: str, text: str, model: type[M]) -> tuple[M, Lines] | list[Finding]:
    """Make a model of a text, with where each part of it stands, or say what is wrong in it."""
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return [
            Finding(file, _line_in(str(error), text), Severity.ERROR, f"not TOML: {_LINE.sub('', str(error)).strip()}")
        ]
    lines = lines_of(text)
    try:
        return model.model_validate(said), lines
    except ValidationError as error:
        wrong = [_described(each, said) for each in error.errors(include_url=False)]
        return [Finding(file, nearest(lines, place), Severity.ERROR, reason) for place, reason in wrong]


def _read(path: Path) -> AgreementFile | list[Finding]:
    try:
        return parse_agreement(str(path), path.read_text(encoding="utf-8"))
    except OSError as error:
        return [Finding(str(path), 1, Severity.ERROR, f"cannot be read: {error.strerror}")]
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return [Finding(str(path), line, Severity.ERROR, "not TOML: it is not UTF-8")]


def _line_in(message: str, text: str) -> int:
    """Return the line that the reader's message names; it says nothing of it at the end of a text."""
    found = _LINE.search(message)
    return int(found[1]) if found else max(1, len(text.splitlines()))


def _described(error: ErrorDetails, said: dict[str, Any]) -> tuple[Place, str]:
    """Return where a mistake is and what is wrong, in words for whoever wrote the file."""
    place, message = error["loc"], error["msg"].removeprefix(_WHOLE)
    name = ".".join(map(str, place))
    if error["type"] == "missing":
        return place[:-1], f"{place[-1]} is missing"
    if error["type"] == "extra_forbidden":
        return place, f"{place[-1]} is not known here"
    if not place:
        return _place_in(message, said), message
    return place, f"{name}: {message[:1].lower()}{message[1:]}"


def _place_in(message: str, said: dict[str, Any]) -> Place:
    """Find the key that a remark on an agreement as a whole is about."""
    if message.startswith("ends"):
        return ("ends",)
    for number, share in enumerate(said["share"]):
        for key in ("from", "to"):
            for element, party in enumerate(share[key]):
                if message.startswith("not a party") and party not in said["parties"]:
                    return ("share", number, key, element)
        if share["id"] in {earlier["id"] for earlier in said["share"][:number]} and message.startswith("two shares"):
            return ("share", number, "id")
    return ()


def _repeated(files: Iterable[AgreementFile]) -> Iterator[Finding]:
    first: dict[str, AgreementFile] = {}
    for file in files:
        earlier = first.setdefault(file.agreement.id, file)
        if earlier is not file:
            yield file.error(f"there is an agreement {file.agreement.id} already: {earlier.file}", "id")

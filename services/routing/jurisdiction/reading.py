"""Reads the files, each with a clear word on what is wrong in it."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from services.routing.jurisdiction.forms import (
    AgenciesFile,
    BookFile,
    DistrictsFile,
    NeedsFile,
    ServicesFile,
)

M = TypeVar("M", bound=BaseModel)


class JurisdictionError(Exception):
    """The folder cannot be used; the text names the file and what is wrong in it."""


@dataclass(frozen=True, slots=True)
class Folder:
    """What the files say."""

    agencies: AgenciesFile
    book: BookFile
    services: ServicesFile
    districts: DistrictsFile
    needs: NeedsFile


def read_folder(folder: Path) -> Folder:
    """Read every file that routing needs.

    Raises:
        JurisdictionError: one is missing, is not TOML, or is not as its head says.
    """
    return Folder(
        agencies=_read(folder / "agencies.toml", AgenciesFile),
        book=_read(folder / "routing-book.toml", BookFile),
        services=_read(folder / "services.toml", ServicesFile),
        districts=_read(folder / "districts.toml", DistrictsFile),
        needs=_read(folder / "needs.toml", NeedsFile),
    )


def _read(file: Path, model: type[M]) -> M:
    try:
        return model.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise JurisdictionError(f"{file} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise JurisdictionError(f"{file} is not TOML: {error}") from None
    except ValidationError as error:
        wrong = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors(include_url=False))
        raise JurisdictionError("\n  ".join([f"{file} cannot be used:", *wrong])) from None

"""What the files of a jurisdiction say, as far as routing reads them."""

from collections.abc import Iterator
from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field

from shared.events.event import Slug
from shared.events.fields import FieldGroup
from shared.events.intake import Urgency


class Closed(BaseModel):
    """A part that routing reads as a whole: what it does not know is a mistake of the writer."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Open(BaseModel):
    """A part that has more to it than routing needs."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ProgramForm(Closed):
    """One thing that an agency does."""

    id: Slug
    name: str
    needs: tuple[Slug, ...] = Field(min_length=1)
    answer_within: timedelta = Field(gt=timedelta())
    resolve_within: timedelta = Field(gt=timedelta())
    districts: tuple[Slug, ...] = ()


class AgencyForm(Open):
    """An agency and its programs."""

    id: Slug
    program: tuple[ProgramForm, ...] = Field(min_length=1)


class AgenciesFile(Closed):
    """agencies.toml."""

    agency: tuple[AgencyForm, ...] = Field(min_length=1)

    def programs(self) -> Iterator[tuple[str, ProgramForm]]:
        """Go through all programs, each with its name."""
        for agency in self.agency:
            for program in agency.program:
                yield f"{agency.id}/{program.id}", program


class RuleForm(Closed):
    """One rule; what it leaves out may be anything."""

    id: Slug
    service: Slug | None = None
    need: Slug | None = None
    district: Slug | None = None
    candidates: tuple[str, ...] = Field(min_length=1)
    fallback: str | None = None


class BookFile(Closed):
    """routing-book.toml."""

    rule: tuple[RuleForm, ...] = ()


class QuestionForm(Open):
    """One further question of a service."""

    code: str


class ServiceForm(Open):
    """A service of the catalogue, and the strict field group that its reports belong to."""

    code: Slug
    needs: tuple[Slug, ...] = Field(min_length=1)
    urgency: Urgency = "routine"
    protects: FieldGroup | None = None
    attribute: tuple[QuestionForm, ...] = ()


class ServicesFile(Open):
    """services.toml."""

    service: tuple[ServiceForm, ...] = Field(min_length=1)


class DistrictForm(Open):
    """A district."""

    id: Slug


class DistrictsFile(Open):
    """districts.toml."""

    district: tuple[DistrictForm, ...]


class NeedForm(Open):
    """A need."""

    code: Slug


class NeedsFile(Open):
    """needs.toml."""

    need: tuple[NeedForm, ...] = Field(min_length=1)

"""Finds cases for the public: without anything personal, and without what is under embargo."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.intake.domain.case import CaseSummary, Note, hide_agencies
from services.intake.domain.search import Search
from services.intake.store import cases
from services.intake.store.disclosures import list_embargoed_agencies
from services.intake.use_cases.context import IntakeContext


@dataclass(frozen=True, slots=True)
class FoundCase:
    """A case and its history; the history is empty where it was not asked for."""

    case: CaseSummary
    notes: Sequence[Note] = ()


async def search_cases(context: IntakeContext, search: Search, *, with_notes: bool) -> list[FoundCase]:
    """Find cases, newest first; agencies whose part is under embargo are left out, and so are their notes."""
    async with context.database.statement() as connection:
        found = await cases.find_cases(connection, search)
        delayed = await list_embargoed_agencies(connection, [case.case_id for case in found], context.clock())
        found = [hide_agencies(case, delayed[case.case_id]) if case.case_id in delayed else case for case in found]
        if not with_notes:
            return [FoundCase(case) for case in found]
        notes = await cases.list_notes(connection, [case.case_id for case in found])
    for case_id, agencies in delayed.items():
        notes[case_id] = [note for note in notes[case_id] if note.agency not in agencies]
    return [FoundCase(case, notes[case.case_id]) for case in found]

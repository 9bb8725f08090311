"""Exports everything that intake holds about the person of a case (GDPR Art. 15), with the sealed parts opened."""

from typing import Any

import orjson

from services.intake.store import persons
from services.intake.store.persons import SealedContent
from services.intake.use_cases.context import IntakeContext
from shared.events.fields import FieldGroup
from shared.kit.database.database import Transaction


async def export_person(context: IntakeContext, case: str) -> dict[str, Any] | None:
    """Return the rows about a case, named by its id or number, by table; None for an unknown case."""
    async with context.database.transaction(notify_commit=False) as tx:
        case_id = await persons.find_case_id(tx, case)
        if case_id is None:
            return None
        rows: dict[str, Any] = await persons.export_rows(tx, case_id)
        opened = await _open(context, tx, await persons.get_sealed(tx, case_id), rows["consents"])
    return rows | opened | {"case": rows["case"][0]}


async def _open(
    context: IntakeContext, tx: Transaction, sealed: SealedContent, consents: list[dict[str, Any]]
) -> dict[str, Any]:
    """Open what is sealed of a person, and the records of their consents; of an erased person nothing can be opened."""
    person = (await context.vault.load(tx, [sealed.person_id])).get(sealed.person_id)
    if person is None:
        return {"person": None, "record": None}

    def opened(group: str, block: str) -> Any:
        return orjson.loads(context.vault.open(person, FieldGroup(group), block))

    for consent in consents:
        if consent["record"]:
            consent["record"] = opened(FieldGroup.IDENTITY, consent["record"])
    return {
        "person": {group: opened(group, block) for group, block in sealed.groups.items()},
        "record": opened(FieldGroup.NARRATIVE, sealed.record) if sealed.record else None,
    }

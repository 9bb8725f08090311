"""Cedar entities and requests for agreements, consents and cases, in Cedar's JSON form."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from shared.events.fields import RESTRICTED, FieldGroup
from shared.policy.agreements import Agreement, Clause
from shared.policy.clause_index import IndexedClause
from shared.policy.consent import CLOCKS_DIFFER, Consent
from shared.policy.disclosure_query import DisclosureQuery

Json = dict[str, Any]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_RECEIVE: Final = {"type": "Action", "id": "receive"}
_RELY_ON: Final = {"type": "Action", "id": "relyOn"}


def write_entities(clauses: Iterable[IndexedClause]) -> str:
    """Return the entities that are the same for all cases: groups, agreements and clauses."""
    clauses = tuple(clauses)
    agreements = {indexed.agreement.id: indexed.agreement for indexed in clauses}
    entities = [
        *(_group(group) for group in FieldGroup),
        *(_agreement(agreement) for agreement in agreements.values()),
        *(_clause(indexed.ground.id, indexed.agreement, indexed.clause) for indexed in clauses),
    ]
    return json.dumps(entities)


def ask_to_receive(
    query: DisclosureQuery, indexed: IndexedClause, consented: Collection[FieldGroup], known: Mapping[str, bool]
) -> Iterator[Json]:
    """Yield one request for each group of a clause: may the agency receive it?

    `known` has the facts that are not part of the query: `in_catalogue` and `has_key`.
    """
    context = {
        "clause": _ref("Clause", indexed.ground.id),
        "at": _micros(query.at),
        "sources": [_ref("Party", source) for source in query.sources],
        "need": query.need,
        "service": query.service,
        "urgency": query.urgency,
        "consented": [_ref("Group", group) for group in consented],
        **({} if query.district is None else {"district": query.district}),
        **({} if query.protects is None else {"protects": _ref("Group", query.protects)}),
        **known,
    }
    written = json.dumps(context)
    principal = {"type": "Party", "id": query.agency}
    for group in indexed.clause.groups:
        resource = {"type": "Group", "id": str(group)}
        yield {"principal": principal, "action": _RECEIVE, "resource": resource, "context": written}


def ask_to_rely_on(query: DisclosureQuery, consent: Consent, purpose: str) -> Json:
    """Return the request: may the agency rely on this consent under agreements of this purpose?"""
    attributes = {
        "recipients": [_ref("Party", recipient) for recipient in consent.recipients],
        "purpose": consent.purpose,
        "granted": _micros(consent.granted_at - CLOCKS_DIFFER),
        "ends": _micros(consent.ends_at),
        "withdrawn": consent.withdrawn_at is not None,
    }
    return {
        "principal": {"type": "Party", "id": query.agency},
        "action": _RELY_ON,
        "resource": {"type": "Consent", "id": str(consent.consent_id)},
        "context": json.dumps({"at": _micros(query.at), "purpose": purpose, "consent": attributes}),
    }


def _group(group: FieldGroup) -> Json:
    kinds = [{"type": "Kind", "id": "restricted"}] if group in RESTRICTED else []
    return {"uid": {"type": "Group", "id": str(group)}, "attrs": {}, "parents": kinds}


def _agreement(agreement: Agreement) -> Json:
    attrs = {
        "purpose": agreement.purpose,
        "status": str(agreement.status),
        "starts": _micros(agreement.begins_at),
        "ends": _micros(agreement.ends_before),
        "onward": agreement.onward,
    }
    return {"uid": {"type": "Agreement", "id": agreement.id}, "attrs": attrs, "parents": []}


def _clause(ground: str, agreement: Agreement, clause: Clause) -> Json:
    conditions = clause.model_dump(
        mode="json", include={"needs", "services", "districts", "urgency"}, exclude_none=True
    )
    attrs = {
        "agreement": _ref("Agreement", agreement.id),
        "from": [_ref("Party", source) for source in clause.sources],
        "to": [_ref("Party", recipient) for recipient in clause.recipients],
        "groups": [_ref("Group", group) for group in clause.groups],
        "form": str(clause.form),
        "consent": clause.consent,
        **conditions,
    }
    return {"uid": {"type": "Clause", "id": ground}, "attrs": attrs, "parents": []}


def _ref(kind: str, name: str) -> Json:
    """Return a reference in the short form, which Cedar accepts with a schema and parses a fifth faster."""
    return {"type": kind, "id": str(name)}


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)

"""Puts on record what routing decides by; until that is done, nothing is decided."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Final

from services.routing.store.agreements import AgreementText, ChangedAgreementError, PolicySet, record_policy_set
from shared.city.agreement_files import AgreementFile
from shared.kit.database.database import TRANSIENT_ERRORS, Database, UnavailableError
from shared.policy.decision import DisclosurePolicy
from shared.policy.policies import our_policies

log = logging.getLogger(__name__)

PAUSE_SECONDS: Final = 1.0


class PolicyRegistration:
    """What is decided by, and whether it is on record."""

    def __init__(self, database: Database, used: PolicySet) -> None:
        self._database = database
        self._used = used
        self._problem: str | None = "agreements: not on record yet"

    async def run(self) -> None:
        """Put it on record as soon as the database lets us; what may not be recorded is said, and stays undone."""
        while self._problem:
            try:
                async with self._database.transaction(notify_commit=False) as tx:
                    await record_policy_set(tx, self._used)
            except TRANSIENT_ERRORS:
                await asyncio.sleep(PAUSE_SECONDS)
            except ChangedAgreementError as error:
                self._problem = str(error)
                log.critical("nothing is decided: %s", error)
                return
            else:
                self._problem = None
                log.info("what is decided by is on record as %s", self._used.hash)

    async def problem(self) -> str | None:
        """Say why nothing is decided; None when all is well."""
        return self._problem

    def check(self) -> None:
        """Let somebody decide.

        Raises:
            UnavailableError: what would be decided by is not on record.
        """
        if self._problem:
            raise UnavailableError(self._problem)


def policy_set_of(agreements: Iterable[AgreementFile], sharing: DisclosurePolicy) -> PolicySet:
    """Return what is decided by, with the agreements as their files have them."""
    policies = our_policies()
    written = [AgreementText(file.content, file.text) for file in agreements]
    return PolicySet(sharing.hash, written, f"{policies.text}\n{policies.schema_text}")

"""Registers the policy set that routing decides by; until it is registered, routing decides nothing."""

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

RETRY_SECONDS: Final = 1.0


class PolicyRegistration:
    """Registers one policy set, and says whether it is registered."""

    def __init__(self, database: Database, used: PolicySet) -> None:
        self._database = database
        self._used = used
        self._problem: str | None = "agreements: not registered yet"

    async def run(self) -> None:
        """Register the policy set as soon as the database can be reached; stop at an agreement that was changed."""
        while self._problem:
            try:
                async with self._database.transaction(notify_commit=False) as tx:
                    await record_policy_set(tx, self._used)
            except TRANSIENT_ERRORS:
                await asyncio.sleep(RETRY_SECONDS)
            except ChangedAgreementError as error:
                self._problem = str(error)
                log.critical("policy set not registered, routing decides nothing: %s", error)
                return
            else:
                self._problem = None
                log.info("policy set registered: %s", self._used.hash)

    async def problem(self) -> str | None:
        """Return why routing decides nothing; None once the policy set is registered."""
        return self._problem

    def check(self) -> None:
        """Allow a decision.

        Raises:
            UnavailableError: the policy set is not registered.
        """
        if self._problem:
            raise UnavailableError(self._problem)


def policy_set_of(agreements: Iterable[AgreementFile], policy: DisclosurePolicy) -> PolicySet:
    """Return the policy set of these agreement files and the Cedar policies."""
    policies = our_policies()
    written = [AgreementText(file.content, file.text) for file in agreements]
    return PolicySet(policy.hash, written, f"{policies.text}\n{policies.schema_text}")

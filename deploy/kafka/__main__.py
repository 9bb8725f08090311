"""The job that prepares a broker: `python -m deploy.kafka` creates the declared topics, accounts and access rules.

It waits for the broker, and is safe to run again: existing topics keep their messages, and accounts their passwords.

    HANDOFF_KAFKA_BOOTSTRAP, _USER, _PASSWORD, _CA   the broker, with its administrator's account; no user: topics only
    HANDOFF_KAFKA_MECHANISM                          PLAIN, if this job is to create the administrator's SCRAM account
    HANDOFF_KAFKA_PASSWORD_INTAKE, ...               the services' passwords
    HANDOFF_AGENCY_ACCOUNTS                          folder for a file with the account of each agency
    HANDOFF_KAFKA_FOR_PARTNERS                       the broker's address in those files, if partners need another one
    HANDOFF_PARTNERS_FILE, HANDOFF_PARTNER_API       the agencies' other keys: see deploy.partner_keys
    HANDOFF_JURISDICTION                             the city's folder
    HANDOFF_KAFKA_REPLICATION                        copies of each message (default: 1)
"""

import asyncio
import os
import sys

from deploy.kafka.preparation import PREPARATION_ERRORS, prepare_broker
from deploy.partner_keys import prepare_partners


def main() -> None:
    """Run the job with the settings of the environment; an error ends it with exit code 1 and its text."""
    try:
        asyncio.run(prepare_broker(os.environ))
        prepare_partners(os.environ)
    except PREPARATION_ERRORS as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()

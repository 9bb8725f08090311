"""The job that makes a broker ready: `python -m deploy.kafka` makes the declared topics, accounts and rules.

It waits for the broker, and is safe to run again: what exists keeps its messages and its passwords.

    HANDOFF_KAFKA_BOOTSTRAP, _USER, _PASSWORD, _CA   the broker, as its administrator; without a user: topics only
    HANDOFF_KAFKA_MECHANISM                          PLAIN, for an administrator whose SCRAM account this job is to make
    HANDOFF_KAFKA_PASSWORD_INTAKE, ...               the services' passwords
    HANDOFF_AGENCY_ACCOUNTS                          folder where each agency has a file with its account
    HANDOFF_KAFKA_FOR_PARTNERS                       the address that those files name, if partners need another
    HANDOFF_PARTNERS_FILE, HANDOFF_PARTNER_API       the agencies' other keys: see deploy.partners
    HANDOFF_JURISDICTION                             the city's folder
    HANDOFF_KAFKA_REPLICATION                        copies of each message, 1 if not set
"""

import asyncio
import os
import sys

from deploy.kafka.preparation import PROBLEMS, prepare_broker
from deploy.partners import prepare_partners


def main() -> None:
    """Run the job with the settings of the environment; say on one line why it could not be done."""
    try:
        asyncio.run(prepare_broker(os.environ))
        prepare_partners(os.environ)
    except PROBLEMS as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()

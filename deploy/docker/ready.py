"""The health check of the image: asks the service in this container whether it is ready.

Docker runs this file as a script, with the standard library only.
"""

import os
import sys
from http.client import HTTPConnection

_OK = 200


def main() -> None:
    """Print the answer; exit with 1 unless it is 200."""
    connection = HTTPConnection("127.0.0.1", int(os.environ["HANDOFF_HTTP_PORT"]), timeout=4)
    try:
        connection.request("GET", "/health/ready")
        answer = connection.getresponse()
        print(answer.read().decode())  # noqa: T201 - Docker shows the output as the reason
    except OSError as error:
        sys.exit(f"not answering: {error}")
    sys.exit(answer.status != _OK)


if __name__ == "__main__":
    main()

"""`python -m services.intake.openapi`: what intake's API takes and answers, as OpenAPI 3.1 in YAML."""

import sys
from typing import Any

import yaml

from services.intake.http import description


def document() -> dict[str, Any]:
    """Return the description of the API."""
    return description.document()


def main() -> None:
    """Print the description."""
    sys.stdout.write(yaml.dump(document(), sort_keys=False, allow_unicode=True, width=120))


if __name__ == "__main__":
    main()

"""`python -m deploy.contract` writes the published contract; `--check` reports stale files and incompatible changes."""

import sys
from argparse import ArgumentParser
from pathlib import Path

from deploy.contract.compatibility import ReleaseError, incompatible_changes, release
from deploy.contract.documents import contract_documents, stale_documents, write_documents

ROOT = Path(__file__).parents[2]


def main() -> int:
    """Run the command, and return its exit code."""
    parser = ArgumentParser(prog="python -m deploy.contract", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write no file; exit with 1 if a file is stale or a schema incompatible"
    )
    parser.add_argument("--release", metavar="VERSION", help="store the current schemas as those of this version")
    wanted = parser.parse_args()
    problems = _check() if wanted.check else _write(wanted.release)
    for problem in problems:
        print(problem, file=sys.stderr)  # noqa: T201 - this is the command's answer
    return 1 if problems else 0


def _check() -> list[str]:
    stale = [f"stale: {name} (run `make contract`)" for name in stale_documents(ROOT, contract_documents(ROOT))]
    return stale + _broken()


def _write(version: str | None) -> list[str]:
    for name in write_documents(ROOT):
        print(f"wrote {name}")  # noqa: T201 - this is the command's answer
    try:
        if version:
            release(ROOT, version)
    except ReleaseError as error:
        return [f"not released: {error}"]
    return _broken()


def _broken() -> list[str]:
    return [f"not compatible with the last release: {change}" for change in incompatible_changes(ROOT)]


if __name__ == "__main__":
    sys.exit(main())

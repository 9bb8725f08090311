"""The sample city, made ready for cases with tokens in them."""

import re
import shutil
from pathlib import Path
from typing import Final

from deploy.local.generate import SAMPLE_CITY

BUSY: Final = ("nypd", "dohmh")
"""The agencies that answer nothing for as long as a test lasts, so that their referrals stay open."""


def make_city(folder: Path) -> Path:
    """Copy the sample city, with room for a token in every answer of a group of its own, and with busy agencies."""
    copy = Path(shutil.copytree(SAMPLE_CITY, folder / "city"))
    text = (copy / "services.toml").read_text(encoding="utf-8")
    blocks = text.split("[[service.attribute]]")
    (copy / "services.toml").write_text("[[service.attribute]]".join([blocks[0], *map(_opened, blocks[1:])]))
    agencies = (copy / "agencies.toml").read_text(encoding="utf-8")
    for agency in BUSY:
        agencies = re.sub(
            rf'(id = "{agency}".*?median_answer = )"\w+"', r'\1"P90000D"', agencies, count=1, flags=re.DOTALL
        )
    (copy / "agencies.toml").write_text(agencies)
    return copy


def _opened(block: str) -> str:
    """Let a question of a strict group be answered by any words."""
    if not re.search(r'^group = "(household|health|substance_use|victim_services|justice)"', block, re.MULTILINE):
        return block
    block = re.sub(r'^datatype = ".*"$', 'datatype = "string"', block, flags=re.MULTILINE)
    block = re.sub(r"^required = true$", "required = false", block, flags=re.MULTILINE)
    return re.sub(r"^values = \[.*?^\]\n", "", block, flags=re.MULTILINE | re.DOTALL)

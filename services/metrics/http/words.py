"""Figures in words: how a page says them."""

from datetime import datetime
from zoneinfo import ZoneInfo

MINUTE, HOUR, DAY = 60, 3600, 86400


def in_words(seconds: float | None) -> str:
    """Say a length of time with two figures that matter; a dash where there is none."""
    if seconds is None:
        return "\N{EN DASH}"
    if seconds < MINUTE:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"  # noqa: PLR2004 - one decimal below ten
    if seconds < HOUR:
        return f"{seconds / MINUTE:.0f} min"
    if seconds < 2 * DAY:
        hours, minutes = divmod(round(seconds / MINUTE), 60)
        return f"{hours} h {minutes:02} min"
    return f"{seconds / DAY:.1f} days"


def moment(when: datetime, zone: ZoneInfo) -> str:
    """Say a moment in the city's own time."""
    return when.astimezone(zone).strftime("%-d %B %Y, %H:%M:%S %Z")


def number(n: int | None) -> str:
    """Write a number with thin spaces between its thousands; a dash where it is withheld."""
    if n is None:
        return "\N{EN DASH}"
    return f"{n:,}".replace(",", "\u202f")

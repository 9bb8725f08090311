"""Redacts identifying data in free text for recipients that may not know the identity.

Finds telephone numbers, e-mail addresses, and what looks like a social security number or a license plate. Does not
find names, street addresses, dates of birth, account or card numbers, user names of other services, numbers spelled out
in words, addresses like "ana at example dot org", or descriptions that identify a person ("the teacher on the second
floor"). Redacts too much rather than too little: seven digits in a row may have been a building number.
"""

import re
from typing import Final

from phonenumbers import Leniency, PhoneNumberMatcher

REGION: Final = "US"
"""The region (ISO 3166-1) whose telephone numbers are recognized without a country code."""

PHONE: Final = "[phone number]"
EMAIL: Final = "[e-mail address]"
SSN: Final = "[social security number]"
PLATE: Final = "[license plate]"

MOST_TRIED: Final = 50
"""Digit groups that are analysed in one text (0.1 ms each); all further ones are replaced without analysis."""

_WORTH_A_LOOK: Final = re.compile(r"[\d@\uff20]")

_AT: Final = r"[@\uff20]"

_NO_AT: Final = r"[^\s@\uff20]"

_EMAIL: Final = re.compile(
    rf"(?<!{_NO_AT}){_NO_AT}++(?:(?:{_AT}{_NO_AT}++)++|\s?{_AT}\s?[^\s@\uff20.]++\.{_NO_AT}++(?:{_AT}{_NO_AT}++)*+)"
)
"""Also "ana @ example.org"; but "at noon @ the corner" is no address."""

_DIGITS: Final = re.compile(r"[+\uff0b(\d](?:[^\w@,;\n]{0,4}\d){6,}+")
"""At least seven digits with few characters between them: a cheap first filter for all kinds of numbers."""

_DATE: Final = re.compile(
    r"((?<!\d)(?:(?:19|20)\d\d[-/.][01]?\d[-/.][0-3]?\d|[0-3]?\d[-/.][0-3]?\d[-/.](?:19|20)\d\d)(?!\d))"
)

_DASH: Final = r"[-\u2010-\u2015.\s\u200b]"

_SSN: Final = re.compile(rf"(?<!\d)\d{{3}}({_DASH}?)\d{{2}}\1\d{{4}}(?!\d)")

_TEN_DIGITS: Final = re.compile(rf"(?<!\d)(?:\+?1{_DASH}?)?\(?\d{{3}}\)?{_DASH}{{0,2}}\d{{3}}{_DASH}?\d{{4}}(?!\d)")
"""North American numbers, also two without a separator between them."""

_PLATE: Final = re.compile(
    r"""
    \b
    (?=[a-z]{0,3}-?\d)
    (?=(?:-?[a-z\d]){5,8}\b)
    (?!\d+(?:st|nd|rd|th|am|pm|lbs?|kg|mg|ml|mph|ft|sq|yrs?|hrs?)\b)  # the 125th street, 1030am, 2000lbs
    (?:[a-z]{1,3}-?\d{3,6}[a-z]{0,2} | \d{1,3}-?[a-z]{2,3}-?\d{2,4} | \d{3,4}-?[a-z]{2,3})
    \b
    """,
    re.IGNORECASE | re.VERBOSE | re.ASCII,
)

_SPACED_PLATE: Final = re.compile(r"\b(?:[A-Z]{2,3} \d{3,4}|\d{3,4} [A-Z]{2,3}|[A-Z]{3} \d[A-Z]\d{2})\b", re.ASCII)
"""With a space, only in capital letters: "for 1500" is no plate."""


def redact(text: str, region: str = REGION) -> str:
    """Return the text with each finding replaced by its kind, for example `[phone number]`."""
    if not _WORTH_A_LOOK.search(text):
        return text
    if "@" in text or "\uff20" in text:
        text = _EMAIL.sub(EMAIL, text)
    text = _without_groups_of_digits(text, region)
    return _SPACED_PLATE.sub(PLATE, _PLATE.sub(PLATE, text))


def _without_groups_of_digits(text: str, region: str) -> str:
    left = MOST_TRIED

    def replaced(found: re.Match[str]) -> str:
        nonlocal left
        left -= 1
        return _judge(found[0], region) if left >= 0 else PHONE

    return _DIGITS.sub(replaced, text)


def _judge(digits: str, region: str) -> str:
    """Replace the numbers in a digit group and keep dates."""
    return "".join(part if _DATE.fullmatch(part) else _without_numbers(part, region) for part in _DATE.split(digits))


def _without_numbers(digits: str, region: str) -> str:
    digits = _SSN.sub(SSN, digits)
    parts, end = [], 0
    for match in PhoneNumberMatcher(digits, region, leniency=Leniency.POSSIBLE):
        parts += [digits[end : match.start], PHONE]
        end = match.end
    return _TEN_DIGITS.sub(PHONE, "".join([*parts, digits[end:]]))

"""Caseworkers open what is withheld, with a token in their reason, and a reviewer repeats it in a note."""

from dataclasses import dataclass
from itertools import islice

import httpx

from tests.journey.disclosures.canary_city import BUSY
from tests.journey.disclosures.harness import DisclosureHarness, Filed

OF_EACH_KIND = 12


@dataclass(frozen=True)
class Access:
    """One try to open what an agency is not given, the token in its reason, and what was answered."""

    filed: Filed
    referral_id: str
    agency: str
    word: bytes
    answer: httpx.Response

    @property
    def is_open(self) -> bool:
        """Tell whether anything was opened."""
        return self.answer.status_code == 201


def open_some(harness: DisclosureHarness) -> list[Access]:
    """Try it with some reports that are protected, and with some that are not; review the first that was opened."""
    theirs = [
        (filed, referral_id, agency)
        for filed in harness.filed
        for referral_id, agency in filed.referrals.items()
        if agency in BUSY
    ]
    plain = [each for each in theirs if harness.protects(each[0]) is None]
    protected = [each for each in theirs if harness.protects(each[0]) is not None]
    with httpx.Client(timeout=60) as client:
        made = [_open(harness, client, *each) for kind in (plain, protected) for each in islice(kind, OF_EACH_KIND)]
        _review(harness, client, next(each for each in made if each.is_open))
    harness.opened |= {each.referral_id: set(each.answer.json()["groups"]) for each in made if each.is_open}
    return made


def _open(harness: DisclosureHarness, client: httpx.Client, filed: Filed, referral_id: str, agency: str) -> Access:
    keys, word = harness.keys(agency), harness.token()
    answer = client.post(
        f"{keys.api}/partner/v1/referrals/{referral_id}/emergency",
        headers={"Authorization": f"Bearer {keys.api_key}"},
        json={"reason": f"A neighbor says {word} may be hurt", "caseworker": "Kim Lee"},
    )
    return Access(filed, referral_id, agency, word.encode(), answer)


def _review(harness: DisclosureHarness, client: httpx.Client, access: Access) -> None:
    state = harness.city.state
    answer = client.post(
        f"{state.url('routing')}/emergencies/{access.answer.json()['access_id']}",
        headers={"Authorization": f"Bearer {state.staff_key}"},
        json={"justified": True, "note": f"It was about {access.word.decode()}", "by": "lou"},
    )
    assert answer.status_code == 200, answer.text

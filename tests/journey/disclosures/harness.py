"""Cases with a unique token in every personal value, filed into a running city, and what may become of them."""

import os
import random
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

import httpx

from deploy.local.agencies.credentials import PartnerCredentials, read_keys
from deploy.local.generate import Form, generate_reports, read_sample_data
from deploy.local.settings import DataFolder
from shared.events.fields import FieldGroup
from shared.policy.agreements import FRONT_DOOR, Agreement
from shared.policy.consent import Consent
from shared.policy.disclosure_query import DisclosureQuery
from tests.city import RunningCity
from tests.eventually import eventually
from tests.journey.disclosures.canary_city import BUSY
from tests.policy_oracle import Groups, may_be_given

GROUP_OF: Final[Mapping[str, FieldGroup]] = {
    "address_string": FieldGroup.ADDRESS,
    "first_name": FieldGroup.IDENTITY,
    "last_name": FieldGroup.IDENTITY,
    "device_id": FieldGroup.IDENTITY,
    "email": FieldGroup.CONTACT,
    "description": FieldGroup.NARRATIVE,
    "media_url": FieldGroup.ATTACHMENTS,
}
FORMS: Final = {"email": "{}@example.org", "media_url": "https://example.org/{}.jpg", "address_string": "1 {} Street"}
TOKEN: Final = re.compile(rb"zq[a-p]{24}")
CONSENTED: Final = 0.6
CASES: Final = 200
OPEN: Final = "state IN ('requested', 'accepted', 'in-progress', 'on-hold')"
SEED: Final = int(os.environ.get("HANDOFF_TEST_SEED", "20260302"))


@dataclass
class Filed:
    """One case: what it says, the tokens in it by group, and what came of it (referrals with their agencies)."""

    number: str
    form: Form
    tokens: dict[bytes, FieldGroup]
    case_id: str = ""
    district: str | None = None
    urgency: str = ""
    agencies: set[tuple[str, str]] = field(default_factory=set)
    referrals: dict[str, str] = field(default_factory=dict)
    consents: list[Consent] = field(default_factory=list)


@dataclass
class DisclosureHarness:
    """The city's rules, read a second time, and the cases that were filed into it."""

    city: RunningCity
    folder: Path
    rng: random.Random
    filed: list[Filed] = field(default_factory=list)
    opened: dict[str, set[FieldGroup]] = field(default_factory=dict)
    """What is open in an emergency, by referral."""

    def __post_init__(self) -> None:
        """Read the files as they are."""
        self.services = {each["code"]: each for each in self._read("services.toml")["service"]}
        self.agreements = [
            Agreement.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
            for path in (self.folder / "agreements").glob("*.toml")
        ]
        protecting = [each for each in self.services.values() if "protects" in each]
        spoken_of = {need for each in self.services.values() if "protects" not in each for need in each["needs"]}
        self.protected_needs = {
            need: each["protects"] for each in protecting for need in each["needs"] if need not in spoken_of
        }

    def _read(self, name: str) -> dict[str, Any]:
        return tomllib.loads((self.folder / name).read_text(encoding="utf-8"))

    def file(self, count: int, seed: int) -> None:
        """File so many cases, some of them with consents of all kinds, and half of these for protected services."""
        made = generate_reports(read_sample_data(self.folder), seed)
        state = self.city.state
        headers = {"Authorization": f"Bearer {state.api_key}"}
        with httpx.Client(base_url=state.url("intake"), headers=headers, timeout=60) as client:
            for form in islice(self._mixed(made), count):
                fields, tokens = self._with_tokens(form)
                answer = client.post("/open311/v2/requests.json", data=fields)
                assert answer.status_code == 201, (fields["service_code"], answer.text)
                self.filed.append(Filed(answer.json()[0]["service_request_id"], fields, tokens))

    def _mixed(self, made: Iterator[Form]) -> Iterator[Form]:
        """Let every third report be about something protected; take some consents away again."""
        protected = [form for form in islice(made, 1500) if "protects" in self.services[str(form["service_code"])]]
        while True:
            form = dict(self.rng.choice(protected) if self.rng.random() < 1 / 3 else next(made))
            if self.rng.random() > CONSENTED:
                form = {name: value for name, value in form.items() if not name.startswith("consent")}
            elif "consent[recipients]" in form and self.rng.random() < 0.5:
                named = list(form["consent[recipients]"])
                form["consent[recipients]"] = self.rng.sample(named, self.rng.randint(1, len(named)))
            yield form

    def token(self) -> str:
        """Make a word that stands nowhere else."""
        return "zq" + "".join(self.rng.choices("abcdefghijklmnop", k=24))

    def _with_tokens(self, form: Form) -> tuple[Form, dict[bytes, FieldGroup]]:
        service = self.services[str(form["service_code"])]
        tokens: dict[bytes, FieldGroup] = {}
        fields = {name: value for name, value in form.items() if name != "phone"}

        def token(group: FieldGroup) -> str:
            made = self.token()
            tokens[made.encode()] = group
            return made

        for name, group in GROUP_OF.items():
            fields[name] = FORMS.get(name, "{}").format(token(group))
        for question in service.get("attribute", []):
            if "group" in question:
                fields.pop(f"attribute[{question['code']}][]", None)
                fields[f"attribute[{question['code']}]"] = token(FieldGroup(question["group"]))
        return fields, tokens

    def look_up(self) -> None:
        """Read from the database which agencies have which referrals, and which consents there are."""
        by_number = {each.number: each for each in self.filed}
        query = "SELECT service_request_id, case_id::text, district, urgency FROM intake.cases"
        for number, *facts in self.city.rows(query):
            if each := by_number.get(number):
                each.case_id, each.district, each.urgency = facts
        by_case = {each.case_id: each for each in self.filed}
        query = "SELECT case_id, agency, need, referral_id FROM routing.referrals"
        for case_id, agency, need, referral_id in self.city.rows(query):
            if str(case_id) in by_case:
                by_case[str(case_id)].agencies.add((agency, need))
                by_case[str(case_id)].referrals[str(referral_id)] = agency
        for each in self.filed:
            each.consents.clear()
        query = "SELECT consent_id, case_id, recipients, purpose, groups, granted_at, ends_at FROM vault.consents"
        for consent_id, case_id, recipients, purpose, groups, granted_at, ends_at in self.city.rows(query):
            named = frozenset(map(FieldGroup, groups))
            consent = Consent(consent_id, case_id, frozenset(recipients), purpose, named, granted_at, ends_at)
            if str(case_id) in by_case:
                by_case[str(case_id)].consents.append(consent)

    def allowed(self, filed: Filed, agency: str) -> Groups:
        """Return what an agency may ever have been given of a case, by the rules: ended consents counted once."""
        allowed: Groups = {"full": set(), "sealed": set(), "thin": set()}
        sources = frozenset({FRONT_DOOR} | {other for other, _ in filed.agencies if other != agency})
        for need in {need for other, need in filed.agencies if other == agency}:
            asked = DisclosureQuery(
                agency, sources, need, str(filed.form["service_code"]), filed.district, filed.urgency,
                self.protects(filed), datetime.now(UTC), tuple(filed.consents),
            )  # fmt: skip
            for form, groups in may_be_given(asked, self.agreements, {agency}, set(self.services)).items():
                allowed[form] |= groups
        return allowed

    def protects(self, filed: Filed) -> FieldGroup | None:
        """Return the group that protects a report as a whole, if one does."""
        service = self.services[str(filed.form["service_code"])]
        by_need = (self.protected_needs[need] for need in service["needs"] if need in self.protected_needs)
        protects = service.get("protects") or next(by_need, None)
        return FieldGroup(protects) if protects else None

    def readable(self, filed: Filed, referral_id: str) -> set[FieldGroup]:
        """Return what the agency of a referral may read of it now: what it may be given, and what is open to it."""
        given = self.allowed(filed, filed.referrals[referral_id])
        return set().union(*given.values(), self.opened.get(referral_id, set()))

    def keys(self, agency: str) -> PartnerCredentials:
        """Return the keys of an agency, from the file that it was given."""
        found = read_keys(agency, {"HANDOFF_AGENCY_FILES": str(DataFolder(self.city.folder).accounts)})
        assert found is not None
        return found

    def settle(self) -> None:
        """Wait until nothing is on its way: in no outbox, to no service, and from no agency that answers."""
        eventually(lambda: self._is_quiet() or None, 200)

    def _is_quiet(self) -> bool:
        waiting = sum(self.city.rows(f"SELECT count(*) FROM {name}.outbox")[0][0] for name in ("intake", "routing"))
        said = "SELECT count(DISTINCT case_id) FROM intake.outbox_sequences"
        known = self.city.rows("SELECT count(*) FROM routing.cases")[0][0]
        return bool(waiting == 0 and known >= self.city.rows(said)[0][0] and not self._asked())

    def _asked(self) -> list[Any]:
        return self.city.rows(f"SELECT FROM routing.referrals WHERE {OPEN} AND agency NOT IN {BUSY} LIMIT 1")


def tokens_in(raw: bytes) -> set[bytes]:
    """Return every token that stands in some bytes."""
    return set(TOKEN.findall(raw))

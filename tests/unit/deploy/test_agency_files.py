"""A sample agency stores the data that it receives in any form, and deletes what is recalled."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from joserfc.jwk import ECKey, OKPKey

from deploy.local.agencies.credentials import PartnerCredentials, read_keys
from deploy.local.agencies.disclosures import DisclosureReader, DisclosureStore
from deploy.local.agencies.wire import ReceivedEvent
from deploy.partner_keys import write_partner_files
from services.routing.use_cases.agency_keys import JweEncrypter, load_partner_keys, read_public_key
from shared.events.agency_inbox import Disclosed, DisclosureRecalled, PersonErased, ReferralAmended, ReferralRequested
from shared.events.fields import AddressFields, FieldGroup, IdentityFields, NeedFields, Released
from tests.builders import NOON

CASE, REFERRAL = uuid4(), uuid4()
ABOUT = {"case_id": CASE, "referral_id": REFERRAL, "sent_at": NOON}
ASKED = {**ABOUT, "need_id": uuid4(), "need": "undisclosed", "program": "undisclosed", "submitted_at": NOON}
ADDRESS = Released(address=AddressFields(address="1 Elm St"))
OLD, NEW = OKPKey.generate_key("X25519"), ECKey.generate_key("P-256")
KEYS = PartnerCredentials((NEW, OLD), "http://routing", "hp_x")


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[DisclosureReader]:
    with closing(DisclosureStore(tmp_path / "refuge.sqlite")) as store:
        yield DisclosureReader("refuge", store, KEYS)


def heard(
    event: ReferralRequested | ReferralAmended | DisclosureRecalled | PersonErased, sequence: int = 1
) -> ReceivedEvent:
    return ReceivedEvent(str(uuid4()), event.type, str(CASE), "", json.loads(event.model_dump_json()), sequence)


def sealed(key: OKPKey | ECKey = NEW) -> str:
    words = Released(identity=IdentityFields(first_name="Ana"))
    block = Disclosed(need="safety", program="beds", released=words).model_dump_json().encode()
    return JweEncrypter({"refuge": read_public_key(key.as_dict(private=False))}).encrypt("refuge", block)


def known(reader: DisclosureReader) -> tuple[str, set[str]] | None:
    found = reader.store.find(str(REFERRAL))
    return (found[0], set(found[1])) if found else None


async def follow(reader: DisclosureReader, answer: Callable[[httpx.Request], httpx.Response]) -> list[bool]:
    """Read the pending links from a partner API with this answer."""
    transport = httpx.MockTransport(answer)
    async with httpx.AsyncClient(transport=transport, base_url="http://routing") as client:
        return [await reader._follow(client, link) for link in reader.store.list_links(10)]


@pytest.mark.parametrize("key", [OLD, NEW], ids=["the old key", "the new key"])
def test_a_sealed_block_tells_need_and_fields_whichever_of_two_keys_it_was_sealed_to(
    reader: DisclosureReader, key: OKPKey | ECKey
) -> None:
    reader.handle(heard(ReferralRequested(**ASKED, released=ADDRESS, sealed=sealed(key))))
    assert known(reader) == ("safety", {"address", "identity"})


def test_a_block_sealed_to_another_key_stays_closed(reader: DisclosureReader, caplog: pytest.LogCaptureFixture) -> None:
    reader.handle(heard(ReferralRequested(**ASKED, released=Released(), sealed=sealed(ECKey.generate_key("P-256")))))
    assert known(reader) == ("undisclosed", set())
    assert "sealed to none of our keys" in caplog.text


async def test_a_link_is_followed_once(reader: DisclosureReader) -> None:
    reader.handle(heard(ReferralRequested(**ASKED, released=Released(), link=f"/partner/v1/referrals/{REFERRAL}")))

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == f"/partner/v1/referrals/{REFERRAL}"
        released = {"need": NeedFields(service_code="v", need="safety", urgency="urgent").model_dump(), "justice": None}
        return httpx.Response(200, json={"need": "safety", "released": released})

    assert await follow(reader, answer) == [True]
    assert known(reader) == ("safety", {"need"})
    assert reader.store.list_links(10) == []


async def test_a_link_that_is_not_answered_is_tried_again_and_one_to_nothing_is_not(reader: DisclosureReader) -> None:
    reader.handle(heard(ReferralRequested(**ASKED, released=Released(), link="/x")))
    assert await follow(reader, lambda _: httpx.Response(503)) == [False]

    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("away", request=request)

    assert await follow(reader, away) == [False]
    assert await follow(reader, lambda _: httpx.Response(404)) == [True]
    assert reader.store.list_links(10) == []


async def test_what_is_answered_after_the_person_was_erased_is_not_kept(reader: DisclosureReader) -> None:
    reader.handle(heard(ReferralRequested(**ASKED, released=ADDRESS, link="/x")))

    def answer(_: httpx.Request) -> httpx.Response:
        reader.handle(heard(PersonErased(**ABOUT), 2))
        return httpx.Response(200, json={"need": "safety", "released": {"address": {"address": "1 Elm St"}}})

    assert await follow(reader, answer) == [True]
    assert known(reader) is None


async def test_an_answer_to_an_earlier_question_does_not_keep_the_later_one_from_being_asked(
    reader: DisclosureReader,
) -> None:
    reader.handle(heard(ReferralRequested(**ASKED, released=Released(), link="/x")))

    def answer(_: httpx.Request) -> httpx.Response:
        reader.handle(heard(ReferralAmended(**ABOUT, released=Released(), link="/x"), 2))
        return httpx.Response(200, json={"need": "safety", "released": {}})

    await follow(reader, answer)
    assert len(reader.store.list_links(10)) == 1


def test_an_amendment_replaces_the_data(reader: DisclosureReader) -> None:
    reader.handle(heard(ReferralRequested(**{**ASKED, "need": "housing"}, released=Released())))
    reader.handle(heard(ReferralAmended(**ABOUT, released=ADDRESS), 2))
    assert known(reader) == ("housing", {"address"})


def test_what_is_recalled_is_deleted_and_a_repeat_does_not_bring_it_back(reader: DisclosureReader) -> None:
    first = heard(ReferralRequested(**ASKED, released=ADDRESS, sealed=sealed()))
    reader.handle(first)
    said = {"groups": (FieldGroup.IDENTITY, FieldGroup.NEED), "receipts": (uuid4(),), "consent_id": uuid4()}
    reader.handle(heard(DisclosureRecalled(**ABOUT, **said, why="consent-withdrawn"), 2))
    assert known(reader) == ("undisclosed", {"address"})
    assert reader.is_repeat(first)


def test_an_erased_person_is_deleted_from_the_file(reader: DisclosureReader, tmp_path: Path) -> None:
    reader.handle(heard(ReferralRequested(**ASKED, released=ADDRESS, link="/x")))
    reader.handle(heard(PersonErased(**ABOUT), 2))
    assert (known(reader), reader.store.list_links(10)) == (None, [])
    reader.store.close()
    assert b"Elm" not in (tmp_path / "refuge.sqlite").read_bytes()


def test_a_missing_sequence_number_blocks_nothing(reader: DisclosureReader) -> None:
    reader.handle(heard(ReferralRequested(**ASKED, released=ADDRESS)))
    later = heard(ReferralAmended(**ABOUT, released=Released()), 4)
    assert not reader.is_repeat(later)
    reader.handle(later)
    assert known(reader) == ("undisclosed", set())


def test_an_unknown_type_is_recorded_as_handled_and_changes_nothing(reader: DisclosureReader) -> None:
    reader.handle(heard(ReferralRequested(**ASKED, released=ADDRESS)))
    reader.handle(ReceivedEvent(str(uuid4()), "case.status.v1", str(CASE), "", {"referral_id": str(REFERRAL)}, 2))
    assert known(reader) == ("undisclosed", {"address"})
    assert reader.store.last_sequence(str(CASE)) == 2


def test_the_file_that_an_agency_is_handed_opens_what_routing_seals(tmp_path: Path) -> None:
    write_partner_files(tmp_path, tmp_path / "partners.json", ["refuge"], "http://routing:8312")
    own = read_keys("refuge", {"HANDOFF_AGENCY_FILES": str(tmp_path)})
    assert own is not None
    partners = load_partner_keys(tmp_path / "partners.json", ["refuge"])
    assert own.open(partners.encrypter.encrypt("refuge", b'{"need": "safety"}')) == {"need": "safety"}
    assert (partners.find_agency(own.api_key), own.api) == ("refuge", "http://routing:8312")


def test_the_environment_can_replace_the_address_of_the_partner_api(tmp_path: Path) -> None:
    write_partner_files(tmp_path, tmp_path / "partners.json", ["refuge"], "http://outside")
    there = {"HANDOFF_AGENCY_FILES": str(tmp_path), "HANDOFF_PARTNER_API": "http://routing:8000"}
    own = read_keys("refuge", there)
    assert own is not None
    assert own.api == "http://routing:8000"
    assert read_keys("choir", there) is None
    assert read_keys("refuge", {}) is None

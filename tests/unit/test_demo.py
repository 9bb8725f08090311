"""The demonstration counts by itself, and tells when anything is lost or there twice."""

from typing import Any

import httpx
import pytest

from deploy.local.demo.figures import Figures, checks, is_settled, read_figures
from deploy.local.demo.filing import Filing
from deploy.local.demo.screen import Moment, as_line


def figures(mailbox: int = 30, **changed: Any) -> Figures:
    whole = {
        "accepted": 10,
        "routed": 9,
        "triage": 1,
        "pending": 0,
        "duplicates": 0,
        "missing": 0,
        "balanced": True,
        "referrals": {"requested": 12, "accepted": 11, "rejected": 1, "completed": 11},
        "mails": {"sent": 30},
        "response_seconds": {"p50": 0.5, "p95": 2.0},
    }
    return Figures(whole | changed, mailbox, mailbox)


NOTHING = Figures()


def broken(now: Figures, filed: int = 10, before: Figures = NOTHING) -> list[str]:
    return [check.what for check in checks(before, now, filed) if not check.holds]


def test_figures_that_agree_pass_every_check() -> None:
    assert broken(figures()) == []


@pytest.mark.parametrize(
    ("now", "what"),
    [
        (figures(accepted=11, routed=10), "every report that was answered with 201 is a case"),
        (figures(routed=8, pending=1), "accepted = routed + at triage"),
        (figures(missing=1), "nothing is lost"),
        (figures(duplicates=1), "nothing is there twice"),
        (Figures(figures().reconciliation, 30, 29), "nothing is there twice"),
        (figures(mailbox=29), "every mail that was sent has arrived"),
        (figures(balanced=False), "metrics' own account balances"),
    ],
)
def test_each_kind_of_disagreement_is_told(now: Figures, what: str) -> None:
    assert broken(now) == [what]


def test_what_was_there_before_is_not_counted_as_ours() -> None:
    before = figures()
    now = figures(mailbox=36, accepted=12, routed=11, mails={"sent": 36})
    assert broken(now, filed=2, before=before) == []


def test_the_city_has_settled_once_every_referral_has_ended_and_every_mail_is_there() -> None:
    assert is_settled(NOTHING, figures(), filed=10)
    assert not is_settled(NOTHING, figures(), filed=11)
    assert not is_settled(NOTHING, figures(mailbox=29), filed=10)
    assert not is_settled(NOTHING, figures(referrals={"requested": 12, "completed": 10, "rejected": 1}), filed=10)


def test_without_a_terminal_progress_is_a_line() -> None:
    assert as_line(Moment(10, 10, NOTHING, figures())).startswith("filed 10, routed 9, at triage 1; referrals: 12 req")


async def test_figures_are_awaited_while_a_service_is_away() -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(503))) as client:
        assert await read_figures(client, "http://metrics", "http://mailbox", "staff") is None


async def file(answers: list[httpx.Response | Exception]) -> tuple[Filing, list[str]]:
    keys: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["Idempotency-Key"])
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async with httpx.AsyncClient(transport=httpx.MockTransport(respond)) as client:
        filing = Filing(client, "http://intake", "key", pause=0)
        await filing.file_all([{"service_code": "city-question"}])
    return filing, keys


async def test_a_report_without_an_answer_is_filed_again_under_the_same_key() -> None:
    created = httpx.Response(201, json=[{"service_request_id": "SR-1"}])
    filing, keys = await file([httpx.ConnectError("gone"), httpx.Response(503), created])
    assert (filing.filed, filing.numbers, filing.refused) == (1, {"SR-1"}, [])
    assert len(set(keys)) == 1


async def test_a_refused_report_is_counted_as_refused_and_not_tried_again() -> None:
    filing, keys = await file([httpx.Response(400, text="no")])
    assert (filing.filed, filing.refused, len(keys)) == (0, ["400: no"], 1)

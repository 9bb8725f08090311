"""The demonstration counts by itself, and reports lost and duplicate cases."""

from typing import Any

import httpx
import pytest

from deploy.local.demo.reconciliation import DemoFigures, checks, is_settled, read_figures
from deploy.local.demo.report_filer import ReportFiler
from deploy.local.demo.screen import DemoProgress, as_line


def figures(mailbox: int = 30, **changed: Any) -> DemoFigures:
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
    return DemoFigures(whole | changed, mailbox, mailbox)


NOTHING = DemoFigures()


def broken(now: DemoFigures, filed: int = 10, before: DemoFigures = NOTHING) -> list[str]:
    return [check.sentence for check in checks(before, now, filed) if not check.holds]


def test_figures_that_agree_pass_every_check() -> None:
    assert broken(figures()) == []


@pytest.mark.parametrize(
    ("now", "what"),
    [
        (figures(accepted=11, routed=10), "every report answered with 201 is a case"),
        (figures(routed=8, pending=1), "accepted reports = routed + in the triage queue"),
        (figures(missing=1), "no case is lost"),
        (figures(duplicates=1), "no case, referral or mail exists twice"),
        (DemoFigures(figures().reconciliation, 30, 29), "no case, referral or mail exists twice"),
        (figures(mailbox=29), "every mail that was sent has arrived"),
        (figures(balanced=False), "the counts of metrics balance"),
    ],
)
def test_each_kind_of_disagreement_fails_its_check(now: DemoFigures, what: str) -> None:
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
    assert as_line(DemoProgress(10, 10, NOTHING, figures())).startswith(
        "filed 10, routed 9, at triage 1; referrals: 12 req"
    )


async def test_figures_are_awaited_while_a_service_is_away() -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(503))) as client:
        assert await read_figures(client, "http://metrics", "http://mailbox", "staff") is None


async def file(answers: list[httpx.Response | Exception]) -> tuple[ReportFiler, list[str]]:
    keys: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["Idempotency-Key"])
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async with httpx.AsyncClient(transport=httpx.MockTransport(respond)) as client:
        filer = ReportFiler(client, "http://intake", "key", pause=0)
        await filer.file_all([{"service_code": "city-question"}])
    return filer, keys


async def test_a_report_without_an_answer_is_filed_again_under_the_same_key() -> None:
    created = httpx.Response(201, json=[{"service_request_id": "SR-1"}])
    filer, keys = await file([httpx.ConnectError("gone"), httpx.Response(503), created])
    assert (filer.filed, filer.numbers, filer.refused) == (1, {"SR-1"}, [])
    assert len(set(keys)) == 1


async def test_a_refused_report_is_counted_as_refused_and_not_tried_again() -> None:
    filer, keys = await file([httpx.Response(400, text="no")])
    assert (filer.filed, filer.refused, len(keys)) == (0, ["400: no"], 1)

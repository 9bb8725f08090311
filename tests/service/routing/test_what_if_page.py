"""The page on which staff try changed files on past cases."""

import httpx
import pytest
from starlette.applications import Starlette

from services.routing.http.pages.what_if import MOST_SHOWN, what_if_page_routes
from services.routing.use_cases.what_if_run import WhatIfRunner
from shared.kit.service.settings import SAMPLE_CITY
from tests.service.routing.explanations import BEARER, KEY
from tests.service.routing.harness import RoutingHarness
from tests.service.routing.test_what_if import BOOK, CITY, SIGNED, file_repair, without_hpd

pytestmark = pytest.mark.servers

Files = list[tuple[str, tuple[str, str | bytes]]]


def chosen(texts: dict[str, str]) -> Files:
    """Files as a browser sends them: by the last part of their names."""
    return [("files", (name.rpartition("/")[2], text)) for name, text in texts.items()]


def client(
    harness: RoutingHarness, trials: WhatIfRunner | None = None, most: int = MOST_SHOWN, **headers: str
) -> httpx.AsyncClient:
    trials = trials or WhatIfRunner(CITY, SAMPLE_CITY, harness.database)
    transport = httpx.ASGITransport(Starlette(routes=what_if_page_routes(trials, KEY, most)))
    return httpx.AsyncClient(transport=transport, base_url="http://routing", headers=BEARER | headers, timeout=60)


async def tried(
    harness: RoutingHarness, files: Files, since: str = "2026-01-01", most: int = MOST_SHOWN
) -> httpx.Response:
    async with client(harness, most=most) as staff:
        return await staff.post("/trials", data={"since": since}, files=files)


async def test_the_form_asks_for_files_and_a_day(harness: RoutingHarness) -> None:
    async with client(harness) as staff:
        page = await staff.get("/trials")
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
    assert 'type="file" name="files"' in page.text
    assert "<!-- streamed -->" not in page.text


async def test_what_would_be_different_is_told_in_words_and_nothing_is_changed(harness: RoutingHarness) -> None:
    await file_repair(harness)
    before = harness.snapshot()
    page = await tried(harness, chosen(without_hpd()))
    assert page.status_code == 200
    assert page.text.index("0 of 1 cases decided") < page.text.index("1 of 1 cases would be different.")
    assert "instead of hpd/" in page.text
    assert 'hpd <span class="no">is not given ' in page.text
    assert page.text.rstrip().endswith("</html>")
    assert harness.snapshot() == before


async def test_the_same_files_make_no_difference(harness: RoutingHarness) -> None:
    await file_repair(harness)
    page = await tried(harness, chosen(SIGNED | {"routing-book.toml": BOOK}))
    assert "Nothing would be different in any of 1 cases." in page.text


async def test_no_case_since_then_is_said(harness: RoutingHarness) -> None:
    page = await tried(harness, chosen(SIGNED), since="2999-01-01")
    assert "No case was routed since then." in page.text


async def test_a_mistake_is_shown_with_file_and_line(harness: RoutingHarness) -> None:
    page = await tried(harness, chosen({"routing-book.toml": BOOK.replace('need = "', 'ned = "', 1)}))
    assert page.status_code == 422
    assert "The run did not start: the files cannot be used." in page.text
    assert "routing-book.toml, line " in page.text


@pytest.mark.parametrize(
    ("files", "since", "says"),
    [
        (chosen(SIGNED), "soon", "since must be a day"),
        ([("files", ("", ""))], "2026-01-01", "choose at least one file"),
        ([("files", ("a.toml", b"\xff\xfe"))], "2026-01-01", "a file is not text in UTF-8"),
    ],
    ids=["no day", "no file", "no text"],
)
async def test_what_cannot_be_tried_is_said(harness: RoutingHarness, files: Files, since: str, says: str) -> None:
    page = await tried(harness, files, since)
    assert page.status_code == 422
    assert f"The run did not start: {says}" in page.text


async def test_of_many_differences_the_first_are_listed_and_the_rest_counted(harness: RoutingHarness) -> None:
    for number in range(1, 6):
        await file_repair(harness, number)
    page = await tried(harness, chosen(without_hpd()), most=3)
    assert page.text.count('<a href="/sharing?of=') == 3
    assert "further differences are not listed" in page.text
    assert "5 of 5 cases would be different." in page.text


async def test_one_trial_runs_at_a_time_and_none_for_strangers(harness: RoutingHarness) -> None:
    trials = WhatIfRunner(CITY, SAMPLE_CITY, harness.database)
    async with client(harness, trials) as staff, trials.running:
        page = await staff.post("/trials", data={"since": "2026-01-01"}, files=chosen(SIGNED))
    assert (page.status_code, "another what-if run is in progress" in page.text) == (409, True)
    async with client(harness, authorization="Bearer wrong") as stranger:
        assert (await stranger.get("/trials")).status_code == 401
    async with client(harness, origin="http://elsewhere") as forged:
        assert (await forged.post("/trials", data={"since": "2026-01-01"})).status_code == 403

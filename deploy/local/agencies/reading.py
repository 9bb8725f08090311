"""Takes in what an agency is given, readable, sealed to its key or behind a link, and deletes what is recalled."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

import httpx

from deploy.local.agencies.files import Files, Link, Released
from deploy.local.agencies.keys import Keys
from deploy.local.agencies.wire import Heard

LOOK_EVERY, PAUSE = 0.2, 2.0
AT_ONCE = 20
UNDISCLOSED = "undisclosed"

logger = logging.getLogger("agencies")


@dataclass(frozen=True)
class Reader:
    """The files of one agency, and the keys with which it opens and reads; without keys it does neither."""

    agency: str
    files: Files
    keys: Keys | None = None

    def is_repeat(self, heard: Heard) -> bool:
        """Tell whether an event has been worked on already. That numbers are missing before it is as it should be."""
        return 0 < heard.sequence <= self.files.last_heard(heard.case_id)

    def take(self, heard: Heard) -> None:
        """Keep what an event gives, or delete what it takes back; kinds that we do not know give nothing."""
        event, referral_id = heard.event, heard.event.get("referral_id", "")
        match heard.type:
            case "referral.requested.v1" | "referral.amended.v1":
                self._keep(heard.case_id, event)
            case "disclosure.recalled.v1":
                self.files.drop_groups(referral_id, event["groups"])
            case "person.erased.v1":
                self.files.forget(heard.case_id)
            case "referral.cancelled.v1":
                self.files.stop_reading(referral_id)
        if heard.sequence:
            self.files.note_heard(heard.case_id, heard.sequence)

    def _keep(self, case_id: str, event: dict[str, Any]) -> None:
        referral_id, sealed, link = event["referral_id"], event.get("sealed"), event.get("link")
        known = self.files.find(referral_id)
        need, released = event.get("need") or (known[0] if known else UNDISCLOSED), given(event.get("released"))
        opened = self.keys.open(sealed) if sealed and self.keys else None
        if sealed and opened is None:
            logger.warning("%s: a sealed block of referral %s is for none of our keys", self.agency, referral_id)
        if opened is not None:
            need, released = opened["need"], released | given(opened["released"])
        self.files.keep(referral_id, case_id, need, released)
        if link and self.keys:
            self.files.ask(referral_id, case_id, link)

    async def follow_links(self) -> None:
        """Read what is to be read, again and again until it is answered. Each read is on record at the city's."""
        if self.keys is None:
            return
        headers = {"Authorization": f"Bearer {self.keys.api_key}"}
        async with httpx.AsyncClient(base_url=self.keys.api, headers=headers, timeout=10) as client:
            while True:
                waiting = self.files.links(AT_ONCE)
                answered = [await self._follow(client, link) for link in waiting]
                await asyncio.sleep(LOOK_EVERY if all(answered) else PAUSE)

    async def _follow(self, client: httpx.AsyncClient, link: Link) -> bool:
        """Read one; False when it is to be tried again."""
        try:
            answer = await client.get(link.link)
        except httpx.TransportError as error:
            logger.warning("%s: the partner API is away (%s)", self.agency, type(error).__name__)
            return False
        if answer.status_code == httpx.codes.OK:
            read = answer.json()
            self.files.answer(link, read["need"], given(read["released"]))
            return True
        if answer.status_code == httpx.codes.NOT_FOUND:
            self.files.answer(link, None, {})
            return True
        logger.warning("%s: the partner API answers %s", self.agency, answer.status_code)
        return False


def given(released: Released | None) -> Released:
    """Leave out the groups that are not there."""
    return {group: fields for group, fields in (released or {}).items() if fields is not None}

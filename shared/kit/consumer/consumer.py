"""Work on messages in batches: decode each by itself, admit the new ones, decide, and commit all of it at once.

What cannot be decoded is set aside singly. A batch that fails is narrowed down to the message that fails, which is
tried a few times and then set aside; the others go through. A database that is away, or that will not take what must
be written with the rest, pauses everything, with growing pauses, and nothing is lost: offsets are committed after the
transaction, and a repeat is absorbed by the inbox.
"""

import asyncio
import logging
from collections.abc import Sequence

import psycopg

from shared.events.wire import MalformedMessageError
from shared.kit.clock import Pauses
from shared.kit.consumer.batch_spans import traced
from shared.kit.database.database import AWAY, Database, UnavailableError
from shared.kit.dead_letters.dead_letters import DeadLetter, set_aside
from shared.kit.messaging import inbox
from shared.kit.messaging.messages import Batch, Received, Record, Route, keep_fresh, read
from shared.kit.observability.instruments import Instruments

log = logging.getLogger(__name__)

TRIES = 3
"""How often a message that fails by itself is tried before it is set aside."""

FAULTS_IN_A_ROW = 20
"""So many messages set aside, with none worked on in between, is our fault and not the data's: stop."""

TRY_AGAIN = (*AWAY, psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected)


class HaltedError(Exception):
    """This consumer has stopped on purpose, and takes nothing more until the process is started anew."""


class Consumer:
    """Works through the batches of one route."""

    def __init__(self, service: str, route: Route, database: Database, instruments: Instruments | None = None) -> None:
        self.route = route
        self.halted: str | None = None
        self.refused: str | None = None
        self._service = service
        self._database = database
        self._instruments = instruments or Instruments()
        self._pauses = Pauses()
        self._faults = 0

    async def __call__(self, records: Sequence[Record]) -> None:
        """Work on one batch; when this returns, all of it is committed or set aside.

        Raises:
            HaltedError: too many messages were set aside in a row.
            psycopg.Error: the database is away: give the same batch again (the pause has been taken).
        """
        if self.halted:
            await asyncio.sleep(self._pauses.longest)
            raise HaltedError(self.halted)
        self._instruments.read(self.route, len(records))
        try:
            await self._narrow(await self._readable(records))
        except TRY_AGAIN as error:
            self.refused = str(error) if isinstance(error, UnavailableError) else None
            self._instruments.paused(self.route, error)
            log.warning("paused: %s on %s", self.refused or type(error).__name__, self.route.language.topic)
            await self._pauses.take()
            raise
        self._pauses.reset()
        self.refused = None
        if self.route.rest:
            await asyncio.sleep(self.route.rest)

    async def _readable(self, records: Sequence[Record]) -> list[Received[object]]:
        """Read each record by itself, and set aside those that cannot be read."""
        good, bad = [], []
        for record in records:
            try:
                good.append(read(self.route.language, record, tolerant=self.route.tolerant))
            except MalformedMessageError as error:
                bad.append(DeadLetter(record, str(error), self.route.group))
        ours = "{agency}" not in self.route.language.topic
        await self._set_aside(bad, MalformedMessageError.__name__, ours=ours)
        return good

    async def _narrow(self, messages: Sequence[Received[object]]) -> None:
        """Work on these messages in one transaction; when that fails, on each half by itself, in order."""
        try:
            await self._work(messages)
        except TRY_AGAIN:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, one message is its cause
            if len(messages) == 1:
                await self._insist(messages[0], error)
                return
            self._instruments.narrowed(self.route, error)
            log.info("narrowing %d messages of %s", len(messages), self.route.language.topic)
            middle = len(messages) // 2
            await self._narrow(messages[:middle])
            await self._narrow(messages[middle:])

    async def _insist(self, message: Received[object], error: Exception) -> None:
        """Try one message again a few times, then set it aside."""
        for _ in range(TRIES - 1):
            await self._pauses.take()
            try:
                await self._work([message])
            except TRY_AGAIN:
                raise
            except Exception as again:  # noqa: BLE001 - whatever it is, it is this message's own
                error = again
            else:
                return
        log.error("set aside after %d tries: %s", TRIES, message.envelope.id, exc_info=error)
        kind = type(error).__name__
        await self._set_aside([DeadLetter(message.record, kind, self.route.group, TRIES)], kind, ours=True)

    async def _work(self, messages: Sequence[Received[object]]) -> None:
        if not messages:
            return
        with traced(self.route, messages) as watched, self._instruments.processing(self.route):
            batch = await self._at_once(watched) or await self._in_a_transaction(watched)
        self._faults = 0
        self._instruments.worked(self.route, watched, batch)

    async def _at_once(self, messages: Sequence[Received[object]]) -> Batch[object] | None:
        """Work on these messages by a single statement, if that is possible and none of them is known."""
        if self.route.at_once is None:
            return None
        batch = keep_fresh(messages, {message.identity for message in messages})
        try:
            async with self._database.statement() as connection:
                return batch if await self.route.at_once(batch, connection) else None
        except psycopg.errors.UniqueViolation:
            return None

    async def _in_a_transaction(self, messages: Sequence[Received[object]]) -> Batch[object]:
        """Work on those of these messages that have not been worked on."""
        async with self._database.transaction() as tx:
            fresh = await inbox.admit(tx, [message.identity for message in messages])
            if batch := keep_fresh(messages, fresh):
                await self.route.handler(batch, tx)
        return batch

    async def _set_aside(self, letters: Sequence[DeadLetter], kind: str, *, ours: bool) -> None:
        """Set messages aside; count them where the fault may be ours (anybody may write nonsense as an agency)."""
        if not letters:
            return
        async with self._database.transaction() as tx:
            fresh = await set_aside(tx, self._service, letters)
        self._instruments.set_aside(self.route, fresh, kind)
        self._faults += len(letters) if ours else 0
        if self._faults >= FAULTS_IN_A_ROW:
            self.halted = f"{self._faults} messages of {self.route.language.topic} were set aside in a row"
            log.critical("stopped consuming: %s", self.halted)

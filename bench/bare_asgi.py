"""The least work for a durable answer to a POST: raw ASGI, one INSERT, 201.

`python -m bench.bare_asgi PORT DATABASE_URL` runs it.
"""

import sys
from typing import Any

import uvicorn
from psycopg_pool import AsyncConnectionPool

from shared.kit.service.service import tune_gc

_INSERT = "INSERT INTO intake.bare (body) VALUES (%s) RETURNING id"


def bare_app(url: str) -> Any:
    """Return the application."""
    pool = AsyncConnectionPool(url, min_size=8, max_size=8, open=False, kwargs={"autocommit": True})

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _run_lifespan(pool, receive, send)
            return
        body = (await receive())["body"]
        async with pool.connection() as connection:
            connection.prepare_threshold = 1
            row = await (await connection.execute(_INSERT, (body,))).fetchone()
        answer = b'[{"id":%d}]' % (row or (0,))[0]
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 201, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    return app


async def _run_lifespan(pool: AsyncConnectionPool, receive: Any, send: Any) -> None:
    while (message := await receive())["type"] != "lifespan.shutdown":
        await pool.open()
        await send({"type": message["type"] + ".complete"})
    await pool.close()
    await send({"type": "lifespan.shutdown.complete"})


if __name__ == "__main__":
    tune_gc()
    uvicorn.run(
        bare_app(sys.argv[2]), port=int(sys.argv[1]), loop="uvloop", http="httptools", access_log=False,
        log_level="error", server_header=False,
    )  # fmt: skip

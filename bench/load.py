"""A small HTTP client for load: many connections, each with one request at a time, and no further features."""

import asyncio
from collections.abc import Sequence
from time import perf_counter


def request(path: str, body: bytes, headers: str = "") -> bytes:
    """Return the bytes of a POST of a form."""
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    return f"{head}{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def answers(port: int, requests: Sequence[bytes], connections: int) -> tuple[float, list[float]]:
    """Send all requests over that many connections; return requests per second, and the seconds of each.

    Raises:
        RuntimeError: an answer is not 201.
    """
    waiting = list(requests)
    took: list[float] = []

    async def work() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while waiting:
            sent = waiting.pop()
            began = perf_counter()
            writer.write(sent)
            await _read_201(reader)
            took.append(perf_counter() - began)
        writer.close()
        await writer.wait_closed()

    began = perf_counter()
    await asyncio.gather(*(work() for _ in range(connections)))
    return len(requests) / (perf_counter() - began), took


async def post(port: int, sent: bytes) -> None:
    """Send one request over its own connection.

    Raises:
        RuntimeError: the answer is not 201.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    await _read_201(reader)
    writer.close()
    await writer.wait_closed()


async def _read_201(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    body = await reader.readexactly(length)
    if not head.startswith(b"HTTP/1.1 201"):
        raise RuntimeError(f"{head[:15].decode()}: {body[:200].decode()}")
    return body

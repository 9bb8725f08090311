"""A collector that accepts every span and stores none: `python -m bench.span_sink PORT`."""

import sys
from typing import Any

import uvicorn


async def accept(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Read the body, and answer 200."""
    if scope["type"] != "http":
        raise NotImplementedError
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


if __name__ == "__main__":
    uvicorn.run(accept, port=int(sys.argv[1]), access_log=False, log_level="error", lifespan="off")

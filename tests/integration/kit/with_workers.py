"""A service that says which process answers, with one worker: `python -m tests.integration.kit.with_workers`."""

import os

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from shared.kit.database.database import Database
from shared.kit.service.service import Service, serve
from shared.kit.service.settings import ServiceSettings

MAIN_PROCESS = os.getpid()


def create_service(settings: ServiceSettings) -> Service:
    """Make the service of one process."""

    async def who(_: Request) -> JSONResponse:
        return JSONResponse({"pid": os.getpid(), "is_worker": os.getpid() != MAIN_PROCESS})

    database = Database(settings.database_url.get_secret_value(), "kit")
    return Service("kit", settings, database, http=[Route("/who", who)])


if __name__ == "__main__":
    serve("kit", create_service, ServiceSettings(), workers=1)

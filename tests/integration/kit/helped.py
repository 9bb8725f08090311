"""A service that says which process answers, with one helper: `python -m tests.integration.kit.helped`."""

import os

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from shared.kit.database.database import Database
from shared.kit.service.processes import Place
from shared.kit.service.service import Service, create_asgi, serve
from shared.kit.service.settings import ServiceSettings


def create_app(place: Place) -> Starlette:
    """Make the application of one process."""

    async def who(_: Request) -> JSONResponse:
        return JSONResponse({"pid": os.getpid(), "is_helper": place.is_helper})

    database = Database(settings.database_url.get_secret_value(), "kit")
    return create_asgi(Service("kit", settings, database, http=[Route("/who", who)], place=place))


if __name__ == "__main__":
    settings = ServiceSettings()
    serve(create_app, "kit", settings, helpers=1)

"""Puts intake together: settings to database, vault and jurisdiction, to what it serves and hears."""

import asyncio

from starlette.applications import Starlette

from services.intake.domain.tokens import Tokens
from services.intake.handlers import routes
from services.intake.http.routes import FILING, http_routes
from services.intake.jurisdiction import load_jurisdiction
from services.intake.settings import IntakeSettings
from services.intake.store.new_cases import forget_old_keys
from services.intake.store.write_batcher import Tray
from services.intake.use_cases.api_keys import ApiKeys
from services.intake.use_cases.context import Desk, Numbers
from shared.kit.clock import utc_now
from shared.kit.database.database import Database
from shared.kit.service.processes import Place
from shared.kit.service.service import Service, create_asgi
from shared.kit.vault.vault import Vault, read_master_key

FORGET_SECONDS = 600.0


def make_desk(settings: IntakeSettings, database: Database) -> Desk:
    """Put together what every request needs."""
    text = settings.master_key.get_secret_value() if settings.master_key else None
    master_key = read_master_key(text, settings.master_key_file)
    first_key = settings.api_key.get_secret_value() if settings.api_key else None
    return Desk(
        database=database,
        vault=Vault(master_key),
        jurisdiction=load_jurisdiction(settings.jurisdiction),
        keys=ApiKeys(database, first_key),
        numbers=Numbers(database),
        tray=Tray(database),
        tokens=Tokens(master_key),
        clock=utc_now,
        public_url=settings.public_url.rstrip("/"),
        staff_key=settings.staff_key.get_secret_value(),
    )


def create_app(settings: IntakeSettings, place: Place | None = None) -> Starlette:
    """Make the application of one of its processes."""
    database = Database(settings.database_url.get_secret_value(), "intake", size=settings.database_pool)
    desk = make_desk(settings, database)

    async def forget() -> None:
        while True:
            async with database.transaction() as tx:
                await forget_old_keys(tx)
            await asyncio.sleep(FORGET_SECONDS)

    loops = (desk.keys.keep_reading, forget)
    service = Service("intake", settings, database, routes(), http_routes(desk), loops, place=place or Place())
    app = create_asgi(service)
    # Whatever is served here answers for its own errors: nothing has to stand between it and the server.
    app.middleware_stack = app.router
    app.router.routes.sort(key=lambda route: getattr(route, "path", "") != FILING)  # most requests look for this one
    return app

"""Settings become the service: its database, what it hears, what it serves, what it does in the background."""

from services.metrics.handlers import subscriptions
from services.metrics.http.api.aggregates import aggregate_routes
from services.metrics.http.api.cases import case_routes, held_routes
from services.metrics.http.api.spans import span_routes
from services.metrics.http.pages.dashboard import dashboard_routes
from services.metrics.jurisdiction import read_city
from services.metrics.settings import Settings
from services.metrics.store import STAGING
from services.metrics.workers import rollups
from shared.kit.database.database import Database
from shared.kit.service.service import Service


def create_service(settings: Settings) -> Service:
    """Return the service."""
    city = read_city(settings.jurisdiction)
    database = Database(settings.database_url.get_secret_value(), "metrics", STAGING, settings.database_pool)
    key = settings.staff_key.get_secret_value()

    async def keep_figures() -> None:
        await rollups.keep_figures(database, city, settings.figures_pause)

    async def keep_pruning() -> None:
        await rollups.keep_pruning(database, settings.spans_age, settings.spans_most)

    return Service(
        name="metrics",
        settings=settings,
        database=database,
        subscriptions=subscriptions(),
        http=[
            *dashboard_routes(database, city),
            *aggregate_routes(database, city, key),
            *case_routes(database, city, key),
            *held_routes(database, key),
            *span_routes(database, key),
        ],
        loops=[keep_figures, keep_pruning],
    )

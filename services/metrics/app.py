"""Puts metrics together: database, Kafka subscriptions, HTTP routes and workers."""

from services.metrics.domain.city import metrics_city
from services.metrics.handlers import subscriptions
from services.metrics.http.api.aggregates import aggregate_routes
from services.metrics.http.api.cases import case_routes, subject_export_route
from services.metrics.http.api.spans import span_routes
from services.metrics.http.pages.dashboard import dashboard_routes
from services.metrics.settings import MetricsSettings
from services.metrics.store.copy_stages import STAGING
from services.metrics.workers.rollups import RollupWorker
from services.metrics.workers.span_pruner import SpanPruner
from shared.city.reader import read_city
from shared.kit.database.database import Database
from shared.kit.service.service import Service


def create_service(settings: MetricsSettings) -> Service:
    """Return the service.

    Raises:
        CityError: a file of the city's folder cannot be used.
    """
    city = metrics_city(read_city(settings.jurisdiction))
    database = Database(settings.database_url.get_secret_value(), "metrics", STAGING, settings.database_pool)
    key = settings.staff_key.get_secret_value()
    return Service(
        name="metrics",
        settings=settings,
        database=database,
        subscriptions=subscriptions(),
        http=[
            *dashboard_routes(database, city),
            *aggregate_routes(database, city, key),
            *case_routes(database, city, key),
            subject_export_route(database, key),
            *span_routes(database, key),
        ],
        loops=[
            RollupWorker(database, city, settings.figures_pause).run,
            SpanPruner(database, settings.spans_age, settings.spans_most).run,
        ],
    )

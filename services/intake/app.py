"""Makes the service: its database, vault, city, Kafka subscriptions, HTTP routes and workers."""

from pathlib import Path

from starlette.routing import BaseRoute, Route

from services.intake.domain.city import IntakeCity, intake_city
from services.intake.domain.tokens import Tokens
from services.intake.handlers import subscriptions
from services.intake.http.api import imports, open311
from services.intake.http.api.consents import delete_consent, get_consents, post_consent
from services.intake.http.api.persons import get_person, post_erase
from services.intake.http.api.requests import post_request
from services.intake.http.api.resource import Format, Resource, UnknownPath
from services.intake.http.pages import report_form, status
from services.intake.settings import IntakeSettings
from services.intake.store.new_cases import CaseNumbers
from services.intake.store.write_batcher import WriteBatcher
from services.intake.use_cases.api_keys import ApiKeys
from services.intake.use_cases.context import IntakeContext
from services.intake.workers.api_key_refresher import ApiKeyRefresher
from services.intake.workers.idempotency_key_cleaner import IdempotencyKeyCleaner
from shared.city.reader import last_change, load_agreements, read_city, read_translations
from shared.kit.clock import utc_now
from shared.kit.database.database import Database
from shared.kit.service.service import Service
from shared.kit.vault.vault import Vault, read_master_key

API = "/open311/v2"
REPORTS_PATH = f"{API}/requests.{{format}}"


def create_service(settings: IntakeSettings) -> Service:
    """Return the service.

    Raises:
        CityError: a file of the city's folder cannot be used.
        VaultError: there is no usable master key.
    """
    database = Database(settings.database_url.get_secret_value(), "intake", size=settings.database_pool)
    context = _make_context(settings, database)
    return Service(
        name="intake",
        settings=settings,
        database=database,
        subscriptions=subscriptions(),
        http=http_routes(context),
        loops=[ApiKeyRefresher(context.keys).run, IdempotencyKeyCleaner(database).run],
        first_path=REPORTS_PATH,
        answers_own_errors=True,
    )


def load_city(folder: Path) -> IntakeCity:
    """Read the city from its folder.

    Raises:
        CityError: a file of the folder cannot be used.
    """
    city = read_city(folder)
    agreements = [file.content for file in load_agreements(folder, city)]
    return intake_city(city, agreements, read_translations(folder), last_change(folder))


def _make_context(settings: IntakeSettings, database: Database) -> IntakeContext:
    text = settings.master_key.get_secret_value() if settings.master_key else None
    master_key = read_master_key(text, settings.master_key_file)
    first_key = settings.api_key.get_secret_value() if settings.api_key else None
    return IntakeContext(
        database=database,
        vault=Vault(master_key),
        jurisdiction=load_city(settings.jurisdiction),
        keys=ApiKeys(database, first_key),
        numbers=CaseNumbers(database),
        batcher=WriteBatcher(database),
        tokens=Tokens(master_key),
        clock=utc_now,
        public_url=settings.public_url.rstrip("/"),
        staff_key=settings.staff_key.get_secret_value(),
    )


def http_routes(context: IntakeContext) -> list[BaseRoute]:
    """Return the routes of the API and of the pages."""
    return [
        Route(REPORTS_PATH, Resource(context, {"POST": post_request, "GET": open311.get_requests})),
        Route(f"{API}/requests/{{service_request_id}}.{{format}}", Resource(context, {"GET": open311.get_one_request})),
        Route(f"{API}/services.{{format}}", Resource(context, {"GET": open311.get_services})),
        Route(f"{API}/services/{{service_code}}.{{format}}", Resource(context, {"GET": open311.get_service})),
        Route(f"{API}/tokens/{{token}}.{{format}}", Resource(context, {"GET": open311.get_token})),
        Route("/open311/discovery.{format}", Resource(context, {"GET": open311.get_discovery})),
        Route("/open311/{rest:path}", UnknownPath()),
        Route("/imports/{source}", Resource(context, {"POST": imports.post_records}, Format.JSON)),
        *_api_routes(context),
        *report_form.report_form_routes(context),
        *status.status_routes(context),
    ]


def _api_routes(context: IntakeContext) -> list[BaseRoute]:
    """Return the routes for caseworkers and staff, which answer in JSON only."""
    served = {
        "/api/v1/cases/{case}/consents": {"POST": post_consent, "GET": get_consents},
        "/api/v1/cases/{case}/consents/{consent}": {"DELETE": delete_consent},
        "/api/v1/persons/{case}": {"GET": get_person},
        "/api/v1/persons/{case}/erase": {"POST": post_erase},
    }
    return [Route(path, Resource(context, methods, Format.JSON)) for path, methods in served.items()]

"""Puts routing together from its settings: city, database, subscriptions, HTTP routes, workers."""

from starlette.routing import Route

from services.routing.domain.city import routing_city
from services.routing.handlers import subscriptions
from services.routing.http.api.cases import case_routes
from services.routing.http.api.explanations import explanation_routes
from services.routing.http.api.ledger import ledger_routes
from services.routing.http.api.partner import partner_routes
from services.routing.http.api.subject_export import subject_export_routes
from services.routing.http.api.what_if import what_if_routes
from services.routing.http.pages.emergencies import emergency_routes
from services.routing.http.pages.explanations import explanation_page_routes
from services.routing.http.pages.triage import triage_routes
from services.routing.http.pages.what_if import what_if_page_routes
from services.routing.settings import RoutingSettings
from services.routing.tables import SCHEMA
from services.routing.use_cases.agency_keys import load_partner_keys
from services.routing.use_cases.context import RoutingContext
from services.routing.use_cases.explain.disclosures import Explainer
from services.routing.use_cases.explain.policy_history import PolicyHistory
from services.routing.use_cases.ledger import make_signer
from services.routing.use_cases.what_if_run import WhatIfRunner
from services.routing.workers.deadlines import DeadlineWorker
from services.routing.workers.ledger_sequencer import LedgerSequencer
from services.routing.workers.policy_registration import PolicyRegistration, policy_set_of
from shared.city.reader import load_agreements, read_city
from shared.kit.database.database import Database
from shared.kit.service.service import Service
from shared.kit.vault.consents import lock_valid_consents
from shared.kit.vault.vault import Vault, read_master_key
from shared.policy.checkpoint import Signer


def create_service(settings: RoutingSettings) -> Service:
    """Return the service.

    Raises:
        CityError: a file of the jurisdiction folder cannot be used.
        PartnerKeysError: the file of the agencies' keys cannot be used.
        VaultError: there is no usable master key.
        KeyFileError: there is no usable key to sign the ledger with.
    """
    database = Database(settings.database_url.get_secret_value(), SCHEMA, size=settings.database_pool)
    files = read_city(settings.jurisdiction)
    agreements = load_agreements(settings.jurisdiction, files)
    partners = load_partner_keys(settings.partners_file, files.agencies)
    city = routing_city(files, [each.content for each in agreements], partners.encrypter.agencies)
    registration = PolicyRegistration(database, policy_set_of(agreements, city.policy))
    vault, encrypt = _open_vault(settings), partners.encrypter.encrypt
    context = RoutingContext(city, vault, encrypt_to=encrypt, check_ready=registration.check)
    deadlines = DeadlineWorker(context, database, settings.sweep_seconds)
    sequencer = LedgerSequencer(database, signer := make_signer(settings))
    return Service(
        name="routing",
        settings=settings,
        database=database,
        subscriptions=subscriptions(context),
        http=[*_staff_routes(context, database, settings, signer), *partner_routes(context, database, partners)],
        loops=[registration.run, deadlines.run, sequencer.run, sequencer.watch],
        precondition_check=lock_valid_consents,
        checks=[registration.problem, sequencer.problem],
        figures=sequencer.figures,
    )


def _staff_routes(
    context: RoutingContext, database: Database, settings: RoutingSettings, signer: Signer
) -> list[Route]:
    staff_key = settings.staff_key.get_secret_value()
    explainer = Explainer(context, PolicyHistory(context.city.policy))
    what_if_runner = WhatIfRunner(context.city, settings.jurisdiction, database)
    return [
        *triage_routes(context, database, staff_key),
        *case_routes(context, database, staff_key),
        *subject_export_routes(context, database, staff_key),
        *emergency_routes(context, database, staff_key),
        *explanation_routes(explainer, database, staff_key),
        *explanation_page_routes(explainer, database, staff_key),
        *ledger_routes(database, signer, staff_key),
        *what_if_routes(what_if_runner, staff_key),
        *what_if_page_routes(what_if_runner, staff_key),
    ]


def _open_vault(settings: RoutingSettings) -> Vault:
    master_key = settings.master_key.get_secret_value() if settings.master_key else None
    return Vault(read_master_key(master_key, settings.master_key_file))

"""Run routing: `python -m services.routing`."""

from services.routing.app import create_app
from services.routing.settings import RoutingSettings
from shared.kit.service.service import serve

if __name__ == "__main__":
    settings = RoutingSettings()
    serve(lambda _: create_app(settings), "routing", settings)

"""Run routing: `python -m services.routing`."""

from services.routing.app import create_service
from services.routing.settings import RoutingSettings
from shared.kit.service.service import serve

if __name__ == "__main__":
    serve("routing", create_service, RoutingSettings())

"""Run metrics: `python -m services.metrics`."""

from services.metrics.app import create_app
from services.metrics.settings import Settings
from shared.kit.service.service import serve

if __name__ == "__main__":
    settings = Settings()
    serve(lambda _: create_app(settings), "metrics", settings)

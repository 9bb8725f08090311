"""Runs metrics: `python -m services.metrics`."""

from services.metrics.app import create_service
from services.metrics.settings import MetricsSettings
from shared.kit.service.service import serve

if __name__ == "__main__":
    serve("metrics", create_service, MetricsSettings())

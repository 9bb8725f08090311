"""What metrics keeps, as SQL; nothing here commits."""

from services.metrics.store.staging import STAGING

__all__ = ["STAGING"]

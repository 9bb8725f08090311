"""What metrics keeps, as SQL; nothing here commits."""

from services.metrics.store.copy_stages import STAGING

__all__ = ["STAGING"]

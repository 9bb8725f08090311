"""Reads the city from its folder at the start, and refuses to start with one that is wrong."""

from services.routing.jurisdiction.loading import load_city, read_agencies
from services.routing.jurisdiction.reading import JurisdictionError

__all__ = ["JurisdictionError", "load_city", "read_agencies"]

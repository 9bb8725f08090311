"""Journeys of residents, all through one city."""

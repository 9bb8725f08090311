"""Routing's JSON APIs: for agencies, and for staff."""

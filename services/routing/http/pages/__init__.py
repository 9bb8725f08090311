"""Routing's pages for staff, some of which also answer in JSON."""

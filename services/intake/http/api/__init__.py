"""Intake's API: Open311, imports, consents and persons."""

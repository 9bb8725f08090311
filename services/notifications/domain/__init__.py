"""Whom to tell what: pure values and decisions."""

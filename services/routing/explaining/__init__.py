"""Answers staff who ask why: what was decided about a case, what would be now, and what a change would make of it."""

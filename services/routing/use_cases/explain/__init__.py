"""Explains to staff why programs were asked and what agencies received, at the time and now."""

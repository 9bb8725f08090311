"""Metrics: how long people wait, what became of each case, and its traces; it changes nothing elsewhere."""

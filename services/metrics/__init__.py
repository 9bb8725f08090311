"""Metrics measures how long people wait and what becomes of each case, and stores traces; it changes nothing."""

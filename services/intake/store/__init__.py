"""Reads and writes intake's tables; no function here commits."""

"""Kafka and PostgreSQL as child processes: what they need on this machine, their settings, and their commands."""

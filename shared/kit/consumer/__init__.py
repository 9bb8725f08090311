"""Consumes Kafka messages in batches, each effect exactly once."""

"""Kafka clients. The only code that relies on internals of FastStream and aiokafka."""

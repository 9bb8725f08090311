"""The sample agencies: small Kafka clients that use the published contract, and no other code of Handoff.

They are an example for partners: they use aiokafka, httpx, joserfc, JSON and SQLite, and import nothing else.
"""

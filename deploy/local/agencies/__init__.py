"""The sample agencies: small Kafka clients that know the published contract and nothing else of Handoff.

They show a partner how it is done, so they import none of our code: aiokafka, httpx, joserfc, JSON and SQLite are all
they use.
"""

"""A whole platform on one machine: Kafka, PostgreSQL and the services as child processes of one supervisor."""

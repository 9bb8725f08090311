"""What every service stands on: broker, batches, inbox, outbox, relay, database, vault, telemetry, health, clock."""

"""Messages between services: inbox, outbox, and what is in a message."""

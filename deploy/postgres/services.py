"""The services that have a schema and a role in the database."""

SERVICES = ("intake", "routing", "notifications", "metrics")
USERS_OF_THE_VAULT = ("intake", "routing", "notifications")


def role_of(service: str) -> str:
    """Return the name of a service's role."""
    return f"handoff_{service}"

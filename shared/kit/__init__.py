"""Platform code of all services, in packages by concept; imports between them point one way (see pyproject.toml)."""

"""HTTP for all services: JSON answers, keys, health, OpenAPI documents."""

"""Roles, schemas and grants of the database."""

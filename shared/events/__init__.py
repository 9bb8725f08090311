"""The published events of Handoff: types, topics and wire format. Depends on pydantic only."""

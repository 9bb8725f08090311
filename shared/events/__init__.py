"""The published language of Handoff: what is said, on which topic, in which form. Pydantic and nothing else."""

"""What routing serves to staff: the triage desk, and what became of a case."""

"""What intake decides: what may be asked for, whether a report can be taken, and what a resident is shown."""

"""Background loops: computing figures, deleting old spans."""

"""Background loops of intake."""

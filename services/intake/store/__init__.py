"""What intake keeps and finds, as SQL; nothing here commits."""

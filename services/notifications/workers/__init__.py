"""Background loops: sending mails, and ending those that were interrupted."""

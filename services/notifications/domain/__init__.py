"""What notifications decides: who is notified of what, at which address, and what follows from a mail's outcome."""

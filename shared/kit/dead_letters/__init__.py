"""Messages that cannot be processed: stored, listed, redriven, dismissed."""

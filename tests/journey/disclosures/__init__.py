"""What is shared with whom, in one city."""

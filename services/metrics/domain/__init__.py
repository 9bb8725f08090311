"""What metrics knows and how it counts; pure."""

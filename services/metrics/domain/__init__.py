"""What metrics knows of cases, and how it counts."""

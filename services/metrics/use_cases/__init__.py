"""What metrics does: records events, computes figures, and answers questions about figures, cases and traces."""

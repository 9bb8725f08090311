"""Routing's SQL. Whoever holds the row of a case holds everything that belongs to it; nothing here commits."""

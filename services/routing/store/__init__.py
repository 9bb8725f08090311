"""Routing's SQL. The lock of a case's row covers all rows of the case; no function here commits."""

"""Routing's use cases: each opens or takes a transaction, lets the domain decide, and writes through the store."""

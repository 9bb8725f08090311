"""Intake owns the service catalogue, the cases that residents open, and the people behind them."""

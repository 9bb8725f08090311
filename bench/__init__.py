"""The budgets, measured: each figure is a ratio with both sides in one run, interleaved, the median of five."""

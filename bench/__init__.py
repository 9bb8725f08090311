"""The performance budgets, measured: each figure is a ratio of medians, with both sides in one run, in turns."""

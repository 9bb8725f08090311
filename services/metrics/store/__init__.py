"""The SQL of metrics. No function here commits: the caller's transaction does."""

"""The SQL of notifications, over sets of rows. No function here commits: the caller's transaction does."""

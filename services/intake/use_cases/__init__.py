"""What callers can do: each use case opens a transaction, reads, lets the domain decide, writes and emits."""

"""The demonstration: runs a platform on this machine, files cases, and compares the counts of all services."""

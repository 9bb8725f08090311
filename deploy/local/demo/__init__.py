"""The demonstration: a platform on this machine, cases filed through it, and counts at the end that must agree."""

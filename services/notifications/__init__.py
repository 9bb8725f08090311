"""Notifications owns who is told what of a case, in which words, and whether they have been told."""

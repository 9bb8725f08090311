"""Readers of other cities' 311 files: each row becomes a record that intake can import."""

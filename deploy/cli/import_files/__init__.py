"""Reads other cities' 311 files, row by row, into the records that intake takes in."""

"""The cities that Handoff can be run for: one folder of data for each."""

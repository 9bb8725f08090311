"""The cities that Handoff can serve: one folder of data for each."""

"""Routing's decisions, pure: which program is asked, what an update changes, what an agency may know."""

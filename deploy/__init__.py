"""Running Handoff: on one machine, in containers, and from the command line."""

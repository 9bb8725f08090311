"""How Handoff is run: on one machine, in containers, and from the command line."""

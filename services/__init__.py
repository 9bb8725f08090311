"""The services of Handoff, each a process of its own; they know each other only by what they say."""

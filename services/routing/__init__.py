"""Routing owns who is asked to help with which need, what became of it, and what each agency is given to know."""

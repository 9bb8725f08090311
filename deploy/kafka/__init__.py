"""Topics, accounts and rules, as one file declares them, and the job that makes them."""

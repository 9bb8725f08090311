"""Topics, accounts and access rules, as `topics.toml` declares them, and the job that creates them."""

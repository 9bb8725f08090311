"""The topics, as declared in one file, and the job that creates them."""

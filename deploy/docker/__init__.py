"""The image, and what it needs to tell whether it is well."""

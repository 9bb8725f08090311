"""Personal data: encryption keys, and the consents that a release requires."""

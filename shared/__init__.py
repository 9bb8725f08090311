"""What the services share: the published language, and the kit they stand on."""

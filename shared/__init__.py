"""What the services share: events, policy, the city, and the kit that runs a service."""

"""A service as one or more processes: settings, start, stop, telemetry."""

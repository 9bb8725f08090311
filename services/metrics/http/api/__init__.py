"""The JSON API, and the OTLP receiver."""

"""The image, and its health check."""

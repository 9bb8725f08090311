"""What an agency may be given, decided without I/O."""

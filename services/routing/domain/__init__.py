"""What routing decides: whom to ask, which answers count, when a case has ended. Pure."""

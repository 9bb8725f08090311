"""What intake serves: Open311 in JSON and XML, imports, and the pages for residents."""

"""HTTP of intake: Open311 in JSON and XML, the API for caseworkers and imports, and the pages for residents."""

"""HTTP of routing: the partner API for agencies, and the API and pages for staff."""

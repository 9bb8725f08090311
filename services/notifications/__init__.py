"""Notifications decides who is notified of what in a case, sends the mails, and publishes whether they were sent."""

"""The published contract: what is written from the events for partners to read, and the check that it still holds."""

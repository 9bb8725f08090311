"""Routing: asks programs for help with the needs of a case, follows the referrals, decides what is disclosed."""

"""Intake: takes reports and consents, seals personal data, and shows residents what happens to their case."""

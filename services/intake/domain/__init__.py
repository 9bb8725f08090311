"""What intake decides: whether a report is valid, what a person can consent to, and what residents may see."""

"""Reads data-sharing agreements, and says with file and line what is wrong in them."""

from services.routing.jurisdiction.agreements.checking import check_agreements, has_errors, load_agreements
from services.routing.jurisdiction.agreements.findings import AgreementFile, Finding, Severity
from services.routing.jurisdiction.agreements.reading import SUBFOLDER, Reading, parse_agreement, read_agreements

__all__ = [
    "SUBFOLDER",
    "AgreementFile",
    "Finding",
    "Reading",
    "Severity",
    "check_agreements",
    "has_errors",
    "load_agreements",
    "parse_agreement",
    "read_agreements",
]

"""Disclosure decisions: what an agency may receive, the receipts, and the ledger's Merkle tree. No I/O."""

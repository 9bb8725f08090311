"""Routing's background loops: deadlines, the ledger's sequencer, the registration of the policy set."""

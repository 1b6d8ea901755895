"""Placement: which worker holds which session, by leases that anyone may claim once they have run out."""

"""Who takes the exam: the running system, baselines on the bare engine, and the reference implementation."""

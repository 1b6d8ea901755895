"""The brains: one port, and an adapter for each kind of API, agent or program that can answer a delegated question."""

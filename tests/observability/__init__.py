"""Traces, metrics, alarms: what an operator sees of Vigil, tried with the real tools where they are installed."""

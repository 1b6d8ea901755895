"""Runs Vigil's processes on one machine: started in order, health-gated, restarted, and stopped without a trace."""

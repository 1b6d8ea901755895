"""The life of one process: settings, logs, metrics, traces, health, endpoints, drain."""

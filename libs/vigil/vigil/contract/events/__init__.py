"""What strangers subscribe to: CloudEvents 1.0 in structured JSON, one module per family of events."""

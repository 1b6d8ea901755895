"""Receives cameras: pulls files, RTSP and HTTP, samples by capture time, publishes frames."""

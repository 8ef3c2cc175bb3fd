"""Metrics for Prometheus and traces for OpenTelemetry.

Nothing here is imported by a service that has both turned off.
"""

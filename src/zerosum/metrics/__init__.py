"""Metrics: pure functions on tensors of samples or features, one file a metric."""

"""Trials: what a trained model is put through to see how good it is, each with its protocol, interval and meaning."""

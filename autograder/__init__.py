"""Grading of PyTorch coursework: a trusted judge asks, an untrusted worker answers, only plain values cross."""

__version__ = "0.1.0"

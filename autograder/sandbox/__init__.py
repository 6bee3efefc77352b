"""An untrusted worker that evaluates probes, and the wire on which only plain values come back.

Knows processes and tensors; knows nothing of pytest, points or exercises.
"""

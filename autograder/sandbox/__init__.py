"""An untrusted worker that evaluates probes, and the wire on which only plain values come back.

Knows about processes and tensors, but nothing about pytest, points or exercises.
"""

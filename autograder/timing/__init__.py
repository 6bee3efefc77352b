"""Fair timing of a submission's forward pass against the reference's, on shared and noisy machines.

`measuring` measures two `sides` in turns, `decision` says what a measurement proves, and `calibration` finds out how
good both are on this machine. Only `decision.score` knows about points: it turns a ratio into a share of them.
"""

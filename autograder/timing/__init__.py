"""Fair timing of a submission's forward pass against the reference's, on shared and noisy machines.

`measuring` measures, `decision` says what a measurement proves, and `calibration` finds out how good both are on the
machine at hand.
Nothing here knows of points but `decision.score`, which turns a ratio into a share of them.
"""

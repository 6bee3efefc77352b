"""A whole class: finds the submissions, grades them here or on a cluster, and keeps what was found for the next run.

`discovery` → `fingerprint` (what may be reused?) → a `grader` (`local`, `cluster`) → `store` → `gradebook`.
"""

"""Grades a whole class: finds the submissions, grades them here or on a cluster, keeps the results for the next run.

`discovery` → `fingerprint` (what may be reused?) → a `grader` (`local`, `cluster`) → `store` → `gradebook`.
"""

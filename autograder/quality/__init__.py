"""Tests the graders: with submissions whose score is known (`verification`), with mutants (`mutation`); `table` has the
results."""

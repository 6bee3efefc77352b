"""The ways in from other systems: one package for each."""

"""Grading on Gradescope: what runs in the platform's container, and what the platform says about a submission."""

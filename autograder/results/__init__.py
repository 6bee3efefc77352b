"""What grading found, and the forms it is written in."""

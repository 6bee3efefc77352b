"""What `autograder check` is made of: the public tests run in a child process on a student's own machine.

Knows nothing of graders, sandbox or points, and works wherever Python and torch do.
"""

"""One module for each command of `autograder`: `run` does it and returns the exit code; `cli` reads the arguments."""

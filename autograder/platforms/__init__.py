"""The platforms that run the autograder: one package for each."""

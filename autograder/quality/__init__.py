"""Who grades the graders: submissions of known worth (`verification`), mutants (`mutation`), and the table of both."""

"""From what a student handed in to the source of one module. Nothing here runs any of that code."""

"""Shows what the cells of a notebook print, draw and raise. They run in a worker, and nothing here affects points."""

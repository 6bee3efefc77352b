"""Begins assignments: from templates with a working example, or from the notebooks of other graders."""

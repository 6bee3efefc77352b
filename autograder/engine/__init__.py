"""The processes behind every command that grades: `server` runs in the grading server, `client` in the command."""

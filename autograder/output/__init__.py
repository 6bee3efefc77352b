"""Text that is safe to show anywhere, and files that are written as a whole or not at all."""

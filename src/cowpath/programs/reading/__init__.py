"""Readers of the files that people have: each gives a command's tables and an account of what was in the file."""

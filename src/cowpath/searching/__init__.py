"""All orders of a path's steps: which are possible, which are safe, and what the safe ones cost."""

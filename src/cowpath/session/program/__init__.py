"""A session's shell as a program of the machine: what its commands are is written instruction by instruction."""

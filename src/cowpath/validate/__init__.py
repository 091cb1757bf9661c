"""Scenarios of real kernels against the model: what was measured, what is simulated, and how much of it agrees."""

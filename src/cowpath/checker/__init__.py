"""Checking designs on cases: every interleaving visited, properties proved or refuted, counterexamples as schedules."""

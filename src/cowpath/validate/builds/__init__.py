"""Builds in groups of every size: what the model makes of them, against what a real kernel did."""

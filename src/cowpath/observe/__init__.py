"""Views of a run: everything that is shown is derived from the event log and the final machine."""

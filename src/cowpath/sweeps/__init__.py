"""Sweeps: a session played over a grid of values and seeds, in a store that survives, and the advice that comes of it.

``values`` and ``grid`` say which points there are, ``point`` plays one, ``store`` keeps it, ``executors`` and
``cluster`` say where it is played, and ``run`` puts these together; ``measures``, ``show``, ``export`` and ``plot``
show what a store holds; ``limit`` looks for the limit that a job needs, and ``advice`` puts it into words.
"""

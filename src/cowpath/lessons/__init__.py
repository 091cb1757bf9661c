"""Lessons and problems whose answers the explorer judges."""

from __future__ import annotations

from .draw import problem
from .lesson import Lesson, load, names, read
from .question import Answer, Explorer, Problem, Question

__all__ = ["Answer", "Explorer", "Lesson", "Problem", "Question", "load", "names", "problem", "read"]

"""Ajar: one small question a day, a private one-line answer, shared only when its owner says so."""

__version__ = "0.1.0"

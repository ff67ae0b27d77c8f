"""Actionreel: what a language model writes becomes videos."""

__version__ = "0.1.0"

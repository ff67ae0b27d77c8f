"""Actionreel: what a language model writes becomes videos."""

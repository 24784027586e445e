"""Labelled logs of the project's own text, for samples, tests and detection limits."""

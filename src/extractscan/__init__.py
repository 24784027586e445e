"""Offline log forensics: find model-extraction campaigns in LLM API logs."""

from extractscan._version import __version__

__all__ = ["__version__"]

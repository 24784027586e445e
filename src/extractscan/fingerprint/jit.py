"""The decorators of ``extractscan.jit``, under the name that the kernels of later stages import."""

from extractscan.jit import inline, kernel

__all__ = ["inline", "kernel"]

"""What all peers have in common."""

from __future__ import annotations

THRESHOLD = 0.8
NUM_PERM = 128
BANDS = 16
ROWS = 8
"""Bands where a tool leaves their choice to its caller: all 128 permutations, and a pair at 0.8 meets with probability 0.95."""

ADAPTERS = {
    "extractscan": "ours",
    "datasketch": "with_datasketch",
    "rensa": "with_rensa",
    "rensa-rho": "with_rensa_rho",
    "FastSketchLSH": "with_fastsketch",
    "gaoya": "with_gaoya",
    "tors": "with_tors",
    "Daft": "with_daft",
    "text-dedup": "with_text_dedup",
    "datatrove": "with_datatrove",
}
"""Name of each tool and its module in ``adapters``."""

THREAD_LIMITS = (
    "OMP_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "TOKIO_WORKER_THREADS",
)

"""``python -m extractscan``."""

from extractscan.cli.main import run

if __name__ == "__main__":
    run()

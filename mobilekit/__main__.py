"""`python -m mobilekit`, and the installed command."""

import sys


def run() -> None:
    """Runs the command line and leaves with its exit code."""
    from mobilekit.cli import main

    sys.exit(main())


if __name__ == "__main__":
    run()

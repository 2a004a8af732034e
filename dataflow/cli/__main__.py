"""`dataflow`, and `python -m dataflow.cli`."""

from __future__ import annotations


def main() -> None:
    """Run the command line and exit with its code."""
    from dataflow.cli.app import root

    root().main(prog_name="dataflow")


if __name__ == "__main__":
    main()

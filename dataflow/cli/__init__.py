"""The command line: declare, call an operation, render."""

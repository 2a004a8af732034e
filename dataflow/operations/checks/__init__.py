"""The checks of `dataflow doctor`: plain functions from what is examined to what was found."""

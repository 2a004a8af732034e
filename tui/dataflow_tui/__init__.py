"""The dashboard: a face over `dataflow.operations`, as the command line is one."""

"""What `workflow validate` looks for in a workflow's files, beyond what loading it shows."""

"""The machine: processes, HTTP, ports, files, waiting. The only package that starts a process."""

"""What the user configured: dataflow.toml, .env, folders, shipped files and the service catalog."""

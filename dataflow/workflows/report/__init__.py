"""The pages of a workflow as one HTML file, without Node and without a network."""

"""The public library for workflow code: warehouse, object store, ingestion, transformation and logging."""

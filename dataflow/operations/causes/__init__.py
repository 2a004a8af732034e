"""What `why` recognises: small functions that look at one service, run, workflow or the platform and name a cause."""

-- The database for workflow code: empty until `[warehouse] postgres = true` gives its address to workflows.
CREATE DATABASE warehouse;

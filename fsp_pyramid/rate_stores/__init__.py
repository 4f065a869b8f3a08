"""Rate stores that processes and machines share: in a database, in Redis, and a fallback for outages of both."""

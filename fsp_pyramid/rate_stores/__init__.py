"""One pace for several processes and machines: ledgers in a database and in Redis, and what happens without them."""

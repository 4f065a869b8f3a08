"""Concurrency primitives. Each exists once for threads of a process and, where needed, once for all processes.

- :mod:`.single_flight`: concurrent calls with the same key share one call and its result (threads of a process).
  Processes that share a Redis use ``ListingCache.flight`` on top of it.
- :mod:`.locks` and :mod:`.redis_locks`: mutual exclusion by key, for the threads of a process, or for all processes
  that use one Redis.
- :mod:`.bulkhead`: bound how many threads do something at once, and how many wait for it.
- :mod:`.circuit_breaker`: skip a service that failed a moment ago, so that callers do not wait for its timeouts.
- :mod:`.worker_pool`: background threads with a bounded queue, one task a key.
- :mod:`.growing_file`: a file that one thread writes while others read it.
"""

"""Concurrency primitives, for threads of one process and, where needed, for all processes that share a Redis.

===================================================  ==================================================================
To ...                                               use
===================================================  ==================================================================
let concurrent calls share one call and its result   :mod:`.single_flight`; across processes,
                                                     ``storage.listing_cache.ListingCache.fetch_lock``
exclude others, by key                               :mod:`.locks`; across processes, :mod:`.redis_locks`
bound how many threads do something, or wait for it  :mod:`.bulkhead`
skip a service that failed a moment ago              :mod:`.circuit_breaker`
work in the background, one task per key             :mod:`.worker_pool`
read a file while another thread writes it           :mod:`.growing_file`
===================================================  ==================================================================
"""

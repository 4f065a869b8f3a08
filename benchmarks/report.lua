-- What wrk found out, as one line of JSON.
function done(summary, latency, requests)
  local bad = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format('\n{"requests": %d, "microseconds": %d, "errors": %d, "refused": %d}\n',
    summary.requests, summary.duration, bad, summary.errors.status))
end

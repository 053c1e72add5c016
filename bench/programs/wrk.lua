-- Has wrk print its results as JSON.
done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"operations":%d,"seconds":%f,"errors":%d,"p50":%f,"p99":%f,"p999":%f}\n',
    summary.requests, summary.duration / 1e6, errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9)
  ))
end

-- One line of JSON at the end; with an argument, every request is for another address.
local path = nil
local number = 2000000000 + math.floor(os.time() % 100000) * 10000

function init(args)
  path = args[1]
end

function request()
  if not path then
    return wrk.request()
  end
  number = number + 1
  return wrk.format(nil, (string.gsub(path, "{n}", tostring(number))))
end

function done(summary, latency)
  local e = summary.errors
  local failed = e.connect + e.read + e.write + e.status + e.timeout
  io.write(string.format('{"requests":%d,"seconds":%.6f,"p99":%.4f,"errors":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(99) / 1e3, failed))
end

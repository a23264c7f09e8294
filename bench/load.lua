-- Plays prepared requests in rotation: wrk knows nothing of clinics. From the environment:
--   REQUESTS  file of requests, each as its length, a line feed and its bytes
--   SERIAL    number of the first request; with it each one gets a serial and a time of its own
--   FIRST     instant of the first such time, in seconds
--   THINK     mean think time in ms
--   JUDGE     look into every answer, which costs this program much more than sending
local requests, count = {}, 0
local serial, first = tonumber(os.getenv("SERIAL") or ""), tonumber(os.getenv("FIRST") or "0")
local think, at = tonumber(os.getenv("THINK") or "0"), 0
local threads = {}
bad, sample = 0, ""

function setup(thread) threads[#threads + 1] = thread end

function init()
  local file = assert(io.open(os.getenv("REQUESTS"), "rb"))
  local length = file:read("*n", 1)
  while length do
    count = count + 1
    requests[count] = file:read(length)
    length = file:read("*n", 1)
  end
  file:close()
  math.randomseed(1)
  at = serial or math.random(count)
end

function request()
  at = at + 1
  local text = requests[at % count + 1]
  if not serial then return text end
  local slot = os.date("!%Y-%m-%dT%H:%M:00Z", first + math.floor(at / count) * 900)
  return (text:gsub("@serial@@@", string.format("%010d", at)):gsub("@starts%-at@@@@@@@@@@", slot))
end

if think > 0 then
  function delay() return math.random(math.floor(think / 2), math.floor(think * 1.5)) end
end

if os.getenv("JUDGE") then
  function response(status, _, body)
    local whole = status == 200 and body:sub(-1) == "}"
    if not whole or body:find('"errors":[', 1, true) or body:find('"userErrors":[{', 1, true) then
      bad = bad + 1
      if sample == "" then sample = status .. " " .. body:sub(1, 300) end
    end
  end
end

function done(summary, latency)
  local wrong, seen = 0, ""
  for _, thread in ipairs(threads) do
    wrong = wrong + thread:get("bad")
    if seen == "" then seen = thread:get("sample") end
  end
  local failed = summary.errors
  io.write(string.format(
    '\nRESULT {"requests":%d,"seconds":%.4f,"bytes":%d,"errors":%d,"bad":%d,"p50":%.3f,"p95":%.3f,"p99":%.3f,"max":%.3f}\n',
    summary.requests, summary.duration / 1e6, summary.bytes,
    failed.status + failed.connect + failed.read + failed.write + failed.timeout, wrong,
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
  if seen ~= "" then io.write("BAD " .. seen:gsub("\n", " ") .. "\n") end
end

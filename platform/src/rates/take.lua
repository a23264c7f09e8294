-- Takes points from all buckets, or from none. The same arithmetic as bucket.rs, in whole numbers.
-- KEYS: the buckets. ARGV: thousandths to take; the time in milliseconds, or '' for Redis' own;
-- then for each bucket: capacity, speed, what the server knows to be in it, and whether it took
-- something that is not known here.
local cost = tonumber(ARGV[1])
local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
local buckets, wait = {}, 0
for i, key in ipairs(KEYS) do
  local given = 2 + (i - 1) * 4
  local capacity, speed = tonumber(ARGV[given + 1]), tonumber(ARGV[given + 2])
  local known, apart = tonumber(ARGV[given + 3]), ARGV[given + 4] == '1'
  local stored = redis.call('HMGET', key, 'level', 'at')
  local level, at = known, now
  if stored[1] then
    at = tonumber(stored[2])
    level = math.min(capacity, tonumber(stored[1]) + math.max(0, now - at) * speed)
    if apart then level = math.min(level, known) end
    at = math.max(at, now)
  end
  level = math.min(level, capacity)
  local missing = math.min(cost, capacity) - level
  if missing > 0 then wait = math.max(wait, math.ceil(missing / speed)) end
  buckets[i] = { capacity = capacity, speed = speed, level = level, at = at }
end
local answer = { wait }
for i, key in ipairs(KEYS) do
  local bucket = buckets[i]
  if wait == 0 then bucket.level = math.min(bucket.capacity, bucket.level - cost) end
  redis.call('HSET', key, 'level', string.format('%.0f', bucket.level), 'at', string.format('%.0f', bucket.at))
  -- Once full, it is the same as not there.
  local full = math.ceil((bucket.capacity - bucket.level) / bucket.speed) + 60000
  redis.call('PEXPIRE', key, string.format('%.0f', full))
  answer[i + 1] = bucket.level
end
return answer

-- KEYS: texts, uses, bytes. ARGV: hash, text, documents at the most, bytes at the most, seconds to live.
local hash, text = ARGV[1], ARGV[2]
local most, room = tonumber(ARGV[3]), tonumber(ARGV[4])
if #text > room then return false end
if redis.call('HEXISTS', KEYS[1], hash) == 0 then
  local bytes = tonumber(redis.call('GET', KEYS[3]) or '0')
  while redis.call('HLEN', KEYS[1]) >= most or bytes + #text > room do
    local oldest = redis.call('ZPOPMIN', KEYS[2])[1]
    if not oldest then
      -- The parts of the cache do not fit together, for example after one was evicted: begin anew.
      redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
      bytes = 0
      break
    end
    bytes = math.max(0, bytes - redis.call('HSTRLEN', KEYS[1], oldest))
    redis.call('HDEL', KEYS[1], oldest)
  end
  redis.call('HSET', KEYS[1], hash, text)
  redis.call('SET', KEYS[3], bytes + #text)
end
redis.call('ZADD', KEYS[2], redis.call('TIME')[1], hash)
for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, ARGV[5]) end
return redis.call('HLEN', KEYS[1])

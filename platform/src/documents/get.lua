-- KEYS: texts, uses, bytes. ARGV: hash.
local text = redis.call('HGET', KEYS[1], ARGV[1])
if text then redis.call('ZADD', KEYS[2], redis.call('TIME')[1], ARGV[1]) end
return text

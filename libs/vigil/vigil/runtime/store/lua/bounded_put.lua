-- Stores an entry that ends by itself. There is a bounded number of them in a set: beyond it those that end first are
-- ended now.
-- KEYS: the entry, the set. ARGV: digest, the entry as JSON, when it ends in ms, the most entries of the set, what the
-- keys of entries begin with. Returns how many were ended. Repeated, it changes nothing more.
redis.call('ZREM', KEYS[2], ARGV[1]) -- a script that has begun to write is let finish when Redis has no memory left
local now = redis.call('TIME')
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)
local life_ms = ARGV[3] - now_ms
if life_ms < 1 then
  return 0
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now_ms)
local ended = redis.call('ZCARD', KEYS[2]) + 1 - ARGV[4]
if ended > 0 then
  for _, digest in ipairs(redis.call('ZRANGE', KEYS[2], 0, ended - 1)) do
    redis.call('DEL', ARGV[5] .. digest)
    redis.call('ZREM', KEYS[2], digest)
  end
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', string.format('%.0f', life_ms))
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
if redis.call('PTTL', KEYS[2]) < life_ms then
  redis.call('PEXPIRE', KEYS[2], string.format('%.0f', life_ms))
end
return math.max(ended, 0)

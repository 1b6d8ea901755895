-- KEYS: workers, offers. ARGV: worker, life in ms (0 retires it), offer as JSON.
redis.call('ZREM', KEYS[1], '') -- a script that has begun to write is let finish when Redis has no memory left
local now = redis.call('TIME')
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)
if tonumber(ARGV[2]) > 0 then
  redis.call('ZADD', KEYS[1], now_ms + ARGV[2], ARGV[1])
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
else
  redis.call('ZREM', KEYS[1], ARGV[1])
  redis.call('HDEL', KEYS[2], ARGV[1])
end
if tonumber(ARGV[2]) > 0 then -- longer than any worker lives without a beat: of a clock that was ahead
  local latest = now_ms + ARGV[2]
  for _, worker in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. string.format('%.0f', latest), '+inf')) do
    redis.call('ZADD', KEYS[1], 'XX', latest, worker)
  end
end
for _, worker in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now_ms)) do
  redis.call('ZREM', KEYS[1], worker)
  redis.call('HDEL', KEYS[2], worker)
end
return 'ok'

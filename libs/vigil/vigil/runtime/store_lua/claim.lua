-- KEYS: expiry, owner, fence. ARGV: worker, limit, lease in ms, patience in ms.
-- Takes sessions whose lease has run out for that long, or ends later than any lease: of a clock that was ahead, before
-- this machine's was set back. Returns member, fence and the worker before, flattened.
redis.call('ZREM', KEYS[1], '') -- a script that has begun to write is let finish when Redis has no memory left
local now = redis.call('TIME')
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)
local claimed = {}
local free = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now_ms - ARGV[4], 'LIMIT', 0, ARGV[2])
local ahead = '(' .. string.format('%.0f', now_ms + ARGV[3])
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], ahead, '+inf', 'LIMIT', 0, ARGV[2] - #free)) do
  free[#free + 1] = member
end
for _, member in ipairs(free) do
  claimed[#claimed + 1] = member
  claimed[#claimed + 1] = redis.call('HINCRBY', KEYS[3], member, 1)
  claimed[#claimed + 1] = redis.call('HGET', KEYS[2], member) or ''
  redis.call('HSET', KEYS[2], member, ARGV[1])
  redis.call('ZADD', KEYS[1], 'XX', now_ms + ARGV[3], member)
end
return claimed

-- KEYS: expiry, owner, fence. ARGV: worker, limit, lease in ms, patience in ms, then members to pass over.
-- Takes sessions whose lease has run out for that long. One that ends later than any can, of a clock that was ahead
-- before this machine's was set back, becomes one of now: a worker that lives renews it. Returns member, fence and the
-- worker before, flattened.
redis.call('ZREM', KEYS[1], '') -- a script that has begun to write is let finish when Redis has no memory left
local now = redis.call('TIME')
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)
local claimed = {}
local latest = now_ms + ARGV[3]
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. string.format('%.0f', latest), '+inf')) do
  redis.call('ZADD', KEYS[1], 'XX', latest, member)
end
local passed_over, limit = {}, tonumber(ARGV[2])
for index = 5, #ARGV do passed_over[ARGV[index]] = true end
local looked_at = limit + #ARGV - 4 -- those that are passed over hide none behind them
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now_ms - ARGV[4], 'LIMIT', 0, looked_at)) do
  if not passed_over[member] and #claimed < 3 * limit then
    claimed[#claimed + 1] = member
    claimed[#claimed + 1] = redis.call('HINCRBY', KEYS[3], member, 1)
    claimed[#claimed + 1] = redis.call('HGET', KEYS[2], member) or ''
    redis.call('HSET', KEYS[2], member, ARGV[1])
    redis.call('ZADD', KEYS[1], 'XX', now_ms + ARGV[3], member)
  end
end
return claimed

-- KEYS: due. ARGV: how long nobody else is given what is returned, in ms; how many at most.
-- Returns the time in ms, then the members that are due.
redis.call('ZREM', KEYS[1], '') -- a script that has begun to write is let finish when Redis has no memory left
local now = redis.call('TIME')
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now_ms, 'LIMIT', 0, ARGV[2])
for _, member in ipairs(due) do redis.call('ZADD', KEYS[1], now_ms + ARGV[1], member) end
return {now_ms, unpack(due)}

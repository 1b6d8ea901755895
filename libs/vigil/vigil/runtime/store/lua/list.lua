-- KEYS: the tenant's list. ARGV: member, ms until it is forgotten (or inf), whether only a new one is listed (1).
-- Takes those off the list that are forgotten by now. Removing first: a script that has begun to write is let finish
-- when Redis has no memory left, and a session must be able to end then.
local now = redis.call('TIME')
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, '(' .. string.format('%.0f', now_ms))
local forget_ms = ARGV[2] == 'inf' and 'inf' or string.format('%.0f', now_ms + ARGV[2])
if ARGV[3] == '1' then
  redis.call('ZADD', KEYS[1], 'NX', forget_ms, ARGV[1])
else
  redis.call('ZADD', KEYS[1], forget_ms, ARGV[1])
end
return 'ok'

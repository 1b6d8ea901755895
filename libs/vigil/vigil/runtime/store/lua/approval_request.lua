-- KEYS: the approval, the tenant's list. ARGV: document, its state, when it expires in ms, ms that it is kept, member, most
-- requests of a tenant. A repeated request finds what it wrote.
redis.call('ZREM', KEYS[2], '') -- a script that has begun to write is let finish when Redis has no memory left
if redis.call('EXISTS', KEYS[1]) == 1 then return 'ok' end
local now = redis.call('TIME')
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)
redis.call('HSET', KEYS[1], 'document', ARGV[1], 'state', ARGV[2], 'expires_ms', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('ZREMRANGEBYSCORE', KEYS[2], 0, '(' .. string.format('%.0f', now_ms))
redis.call('ZADD', KEYS[2], string.format('%.0f', now_ms + ARGV[4]), ARGV[5])
local over = redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[6])
if over > 0 then
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', 'inf', 'LIMIT', 0, over)) do
    redis.call('ZREM', KEYS[2], member)
  end
end
return 'ok'

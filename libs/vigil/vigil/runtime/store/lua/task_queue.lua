-- ARGV: task, request, most records of a session. Returns the state of the task, which may have been there before.
if not exists(SPEC) then return 'unknown' end
local state = redis.call('HGET', TASK, 'state')
if state then return state end
if exists(ENDED) then return 'ended' end
local at_ms = whole(now_ms())
redis.call('HSET', TASK, 'state', 'queued', 'request', ARGV[2], 'queued_ms', at_ms)
redis.call('ZADD', DELEGATED, at_ms, ARGV[1])
local over = redis.call('ZCARD', DELEGATED) - tonumber(ARGV[3])
if over > 0 then
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', DELEGATED, '-inf', 'inf', 'LIMIT', 0, over)) do
    redis.call('DEL', task_key(id))
    redis.call('ZREM', DELEGATED, id)
  end
end
keep_expiry()
return 'queued'

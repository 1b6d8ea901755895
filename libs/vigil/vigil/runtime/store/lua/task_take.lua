-- ARGV: worker, lease in ms, brain. Returns the fence; 0 when another worker holds the task, -1 when it is over.
local state = redis.call('HGET', TASK, 'state')
if not state or FINAL[state] then return -1 end
local at_ms = now_ms()
if tonumber(redis.call('HGET', TASK, 'lease_ms') or '0') > at_ms then return 0 end
local fence = redis.call('HINCRBY', TASK, 'fence', 1)
redis.call('HSET', TASK, 'state', 'running', 'worker', ARGV[1], 'lease_ms', whole(at_ms + ARGV[2]), 'brain', ARGV[3])
if not redis.call('HGET', TASK, 'started_ms') then redis.call('HSET', TASK, 'started_ms', whole(at_ms)) end
return fence

-- ARGV: task, fence, lease in ms (0 lets the task go), state (empty: as it is), progress (empty: as it is).
-- Returns whether the task is still held under this fence, and its session still waits for it (1).
local state = redis.call('HGET', TASK, 'state')
if not state or FINAL[state] or redis.call('HGET', TASK, 'fence') ~= ARGV[2] then return 0 end
if exists(ENDED) or not is_open(ARGV[1]) then return 0 end
redis.call('HSET', TASK, 'lease_ms', whole(now_ms() + ARGV[3]))
if ARGV[4] ~= '' then redis.call('HSET', TASK, 'state', ARGV[4]) end
if ARGV[5] ~= '' then redis.call('HSET', TASK, 'progress', ARGV[5]) end
return 1

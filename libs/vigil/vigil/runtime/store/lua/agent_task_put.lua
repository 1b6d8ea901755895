-- Stores a task of another agent, which is new or is still as it was read. A tenant has a bounded number of them.
-- KEYS: the task, the tenant's tasks by when they were stored last. ARGV: id, the task as it was read (empty: it is
-- new), the task as it is to be, for how long it is kept in ms, the most tasks of the tenant. Returns "stored",
-- "changed" (it is another by now) or "full". Repeated, it changes nothing more.
redis.call('ZREM', KEYS[2], '') -- a script that has begun to write is let finish when Redis has no memory left
local found = redis.call('GET', KEYS[1]) or ''
if found ~= ARGV[2] and found ~= ARGV[3] then
  return 'changed'
end
if found == '' then
  -- Those that are forgotten by now are no tasks any more; the index only knows when they were stored, so look.
  if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[5]) then
    local prefix = string.sub(KEYS[1], 1, #KEYS[1] - #ARGV[1])
    for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
      if redis.call('EXISTS', prefix .. id) == 0 then
        redis.call('ZREM', KEYS[2], id)
      end
    end
  end
  if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[5]) then
    return 'full'
  end
end
local now = redis.call('TIME')
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
redis.call('ZADD', KEYS[2], now[1] * 1000 + math.floor(now[2] / 1000), ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return 'stored'

-- KEYS: expiry, owner, fence. ARGV: worker, lease in ms (0 gives the lease up), then pairs of member and fence.
-- Returns the members that this worker does not hold any more.
redis.call('ZREM', KEYS[1], '') -- a script that has begun to write is let finish when Redis has no memory left
local now = redis.call('TIME')
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)
local lease_ms = tonumber(ARGV[2])
local lost = {}
for index = 3, #ARGV, 2 do
  local member, fence = ARGV[index], ARGV[index + 1]
  local open = redis.call('ZSCORE', KEYS[1], member)
  if open and redis.call('HGET', KEYS[2], member) == ARGV[1] and redis.call('HGET', KEYS[3], member) == fence then
    redis.call('ZADD', KEYS[1], 'XX', lease_ms > 0 and now_ms + lease_ms or 0, member)
  else
    lost[#lost + 1] = member
  end
end
return lost

-- KEYS: expiry, workers, capacities. Returns live workers, their capacity, open sessions.
local now = redis.call('TIME')
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)
local live = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. string.format('%.0f', now_ms), '+inf')
local capacity = 0
for _, worker in ipairs(live) do
  capacity = capacity + (tonumber(redis.call('HGET', KEYS[3], worker)) or 0)
end
return {#live, capacity, redis.call('ZCARD', KEYS[1])}

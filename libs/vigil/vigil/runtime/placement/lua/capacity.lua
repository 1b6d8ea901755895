-- KEYS: expiry, workers, offers. Returns the open sessions, then the offers of the workers that live, as JSON.
local now = redis.call('TIME')
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)
local found = {redis.call('ZCARD', KEYS[1])}
for _, worker in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. string.format('%.0f', now_ms), '+inf')) do
  found[#found + 1] = redis.call('HGET', KEYS[3], worker) or '{}'
end
return found

-- Shared head of the scripts that ask what a role's live workers offer.
local now = redis.call('TIME')
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)

-- The number of live workers, the sessions that they can hold together, and their offers. A ceiling is of something
-- that all workers share: it is counted once, as the worker that knows most of it says.
local function together(workers, offers)
  local found, total, ceiling = {}, 0, 0
  for _, worker in ipairs(redis.call('ZRANGEBYSCORE', workers, '(' .. string.format('%.0f', now_ms), '+inf')) do
    local offer = cjson.decode(redis.call('HGET', offers, worker) or '{}')
    found[#found + 1] = offer
    total = total + (offer.capacity or 0)
    ceiling = math.max(ceiling, offer.ceiling or 0)
  end
  if ceiling > 0 then total = math.min(total, ceiling) end
  return #found, total, found
end

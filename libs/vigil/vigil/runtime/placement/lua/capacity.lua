-- KEYS: expiry, workers, offers. Returns the live workers, what they can hold, the open sessions, then each model that
-- a worker names, with the tokens of its context (0: the worker does not know).
local count, total, found = together(KEYS[2], KEYS[3])
local answer = {count, total, redis.call('ZCARD', KEYS[1])}
for _, offer in ipairs(found) do
  local contexts = offer.contexts or {}
  for _, model in ipairs(offer.models or {}) do
    answer[#answer + 1] = model
    answer[#answer + 1] = contexts[model] or 0
  end
end
return answer

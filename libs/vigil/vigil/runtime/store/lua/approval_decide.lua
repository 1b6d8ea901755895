-- The first decision stays; one that comes after the time is an expiry.
-- KEYS: the approval. ARGV: the decision (granted, refused, or expired: only once the time is over), by whom, pattern.
-- Returns the state that holds, or nothing when there is no such request.
local state = redis.call('HGET', KEYS[1], 'state')
if not state or state ~= 'requested' then return state end
local now = redis.call('TIME')
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)
local decision = ARGV[1]
local is_over = tonumber(redis.call('HGET', KEYS[1], 'expires_ms')) <= now_ms
if decision == 'expired' and not is_over then return state end
if is_over then decision = 'expired' end
redis.call('HSET', KEYS[1], 'state', decision, 'decided_ms', string.format('%.0f', now_ms))
if decision ~= 'expired' then redis.call('HSET', KEYS[1], 'by', ARGV[2], 'pattern', ARGV[3]) end
return decision

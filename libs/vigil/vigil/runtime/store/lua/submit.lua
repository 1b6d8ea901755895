-- ARGV: place of the inbox in KEYS, its limit, what to answer when it is full, entry
local inbox = KEYS[tonumber(ARGV[1])]
if not exists(SPEC) then return 'unknown' end
if exists(ENDED) then return 'ended' end
-- The answer to this very submission was lost and it is sent again: it is there already, perhaps behind others.
for _, waiting in ipairs(redis.call('LRANGE', inbox, 0, -1)) do
  if waiting == ARGV[4] then return 'ok' end
end
if redis.call('LLEN', inbox) >= tonumber(ARGV[2]) then return ARGV[3] end
redis.call('RPUSH', inbox, ARGV[4])
keep_expiry()
return 'ok'

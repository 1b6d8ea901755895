-- ARGV: inbox limit, command
if not exists(SPEC) then return 'unknown' end
if exists(ENDED) then return 'ended' end
-- The answer to this very submission was lost and it is sent again: its nonce is there already, perhaps behind others.
for _, waiting in ipairs(redis.call('LRANGE', INBOX, 0, -1)) do
  if waiting == ARGV[2] then return 'ok' end
end
if redis.call('LLEN', INBOX) >= tonumber(ARGV[1]) then return 'inbox full' end
redis.call('RPUSH', INBOX, ARGV[2])
keep_expiry()
return 'ok'

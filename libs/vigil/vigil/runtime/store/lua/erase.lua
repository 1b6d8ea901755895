-- ARGV: ms after which an ended session is forgotten. One that is forgotten sooner anyway stays as it is. Returns in how
-- many ms that is; -1 for one that is open.
if not exists(SPEC) then return 'unknown' end
if not exists(ENDED) then return -1 end
local left_ms = redis.call('PTTL', SPEC)
if left_ms < 0 or left_ms > tonumber(ARGV[1]) then
  redis.call('PEXPIRE', SPEC, ARGV[1])
  keep_expiry()
end
return redis.call('PTTL', SPEC)

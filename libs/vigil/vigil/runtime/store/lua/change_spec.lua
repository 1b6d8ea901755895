-- ARGV: spec, the one that it was made from. Another change that came in between is not overwritten.
local current = redis.call('GET', SPEC)
if not current then return 'unknown' end
if exists(ENDED) then return 'ended' end
if current == ARGV[1] then return 'ok' end -- also the same call, sent again because its answer was lost
if current ~= ARGV[2] then return 'changed' end
redis.call('SET', SPEC, ARGV[1], 'KEEPTTL')
return 'ok'

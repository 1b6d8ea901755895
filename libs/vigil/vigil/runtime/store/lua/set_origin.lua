-- ARGV: capture time. The first one stays; returns it.
if not exists(SPEC) then return 'unknown' end
if exists(ENDED) then return 'ended' end
redis.call('SETNX', ORIGIN, ARGV[1])
keep_expiry()
return redis.call('GET', ORIGIN)

-- ARGV: role, text
if not exists(SPEC) then return 'unknown' end
redis.call('HSET', STATUS, ARGV[1], ARGV[2])
keep_expiry()
return 'ok'

-- ARGV: spec
if not exists(SPEC) then return 'unknown' end
if exists(ENDED) then return 'ended' end
redis.call('SET', SPEC, ARGV[1], 'KEEPTTL')
return 'ok'

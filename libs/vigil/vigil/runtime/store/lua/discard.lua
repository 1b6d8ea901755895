-- Forgets a session that was never confirmed. Returns whether it was one (1).
if exists(ENDED) or redis.call('PTTL', SPEC) <= 0 then return 0 end
redis.call('DEL', unpack(KEYS))
return 1

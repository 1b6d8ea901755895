-- Claims a session's turn for one call, whether the session is there or not, and looks at the session.
-- KEYS: turn, spec, ended, inbox. ARGV: token, lease in ms. Returns spec, ended (nil where they are not there), inbox.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 'taken' end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {redis.call('GET', KEYS[2]), redis.call('GET', KEYS[3]), redis.call('LRANGE', KEYS[4], 0, -1)}

-- Claims a session's turn for one call, whether the session is there or not, and looks at the session.
-- KEYS: turn, spec, ended, inbox, head, shown. ARGV: token, lease in ms. Returns spec, ended (nil where they are not
-- there), inbox, head, and of what was shown last the model time, the capture time and the mark.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 'taken' end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {
  redis.call('GET', KEYS[2]), redis.call('GET', KEYS[3]), redis.call('LRANGE', KEYS[4], 0, -1), redis.call('GET', KEYS[5]),
  redis.call('HMGET', KEYS[6], 'time_ms', 'capture_us', 'mark'),
}

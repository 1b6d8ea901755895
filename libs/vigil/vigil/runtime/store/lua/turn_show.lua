-- Gives what a call shows its model time; the client has spoken now. A time that the client gives is after all that was
-- decided. Another time is after all that was shown, too.
-- KEYS: turn, spec, ended, head, origin, shown. ARGV: token, nonce, capture time in µs, the model time that the client
-- gives (empty: that of the capture, or the next free one), lease in ms, mark. Returns whether it is shown (1) and its model
-- time, or 0 and the model time that it is not after.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'taken' end
if redis.call('EXISTS', KEYS[2]) == 0 then return 'unknown' end
if redis.call('EXISTS', KEYS[3]) == 1 then return 'ended' end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('SETNX', KEYS[5], ARGV[3])
local now = redis.call('TIME')
redis.call('HSET', KEYS[6], 'heard_ms', string.format('%.0f', now[1] * 1000 + math.floor(now[2] / 1000)))
local shown = redis.call('HMGET', KEYS[6], 'time_ms', 'nonce')
if shown[2] == ARGV[2] then return {1, tonumber(shown[1])} end -- the same call, sent again because its answer was lost
local head = redis.call('GET', KEYS[4])
local decided_ms = head and cjson.decode(head).last_time_ms or -1
local time_ms
if ARGV[4] == '' then
  local origin = tonumber(redis.call('GET', KEYS[5]))
  time_ms = math.max(math.floor((ARGV[3] - origin) / 1000), decided_ms + 1, tonumber(shown[1] or -1) + 1)
else
  time_ms = tonumber(ARGV[4])
  if time_ms <= decided_ms then return {0, decided_ms} end
end
redis.call('HSET', KEYS[6], 'time_ms', string.format('%.0f', time_ms), 'nonce', ARGV[2], 'capture_us', ARGV[3], 'mark', ARGV[6])
return {1, time_ms}

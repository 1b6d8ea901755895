-- ARGV: reason as JSON, retention in ms. The first reason stays. Pictures go at once: nothing will show them again.
if not exists(SPEC) then return 'unknown' end
if exists(ENDED) then return 'ok' end
-- Deleting first: a script that has begun to write is let finish when Redis has no memory left.
redis.call('DEL', INBOX, RESULTS, WRITTEN)
redis.call('DEL', FRAMES, KEYFRAMES)
local now = redis.call('TIME')
local at_ms = now[1] * 1000 + math.floor(now[2] / 1000)
redis.call('SET', ENDED, string.format('{"reason":%s,"at_ms":%.0f}', ARGV[1], at_ms), 'PX', ARGV[2])
redis.call('PEXPIRE', SPEC, ARGV[2])
keep_expiry()
return 'ok'

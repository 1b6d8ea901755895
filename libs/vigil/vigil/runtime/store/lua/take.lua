-- ARGV: fence, id of this take, the newest form that the caller reads. Commits still on their way build on another id
-- and are refused. A session of a newer form stays as it is, for a worker that can read it.
-- Returns spec, parts of the state, turns, outbox, inbox, results, blocks, ended.
local spec = redis.call('GET', SPEC)
if not spec then return 'unknown' end
if math.max(form_of(spec), form_of(redis.call('GET', HEAD))) > tonumber(ARGV[3]) then return 'newer' end
if tonumber(redis.call('GET', FENCE) or '0') > tonumber(ARGV[1]) then return 'fence' end
redis.call('SET', FENCE, ARGV[1])
redis.call('SET', LAST, ARGV[2])
keep_expiry()
return {
  spec,
  redis.call('MGET', HEAD, MEMORY, INSTRUCTIONS, ALERTS, UTTERED, DIALOGUE, TASKS),
  redis.call('LRANGE', TURNS, 0, -1),
  redis.call('LRANGE', OUTBOX, 0, -1),
  redis.call('LRANGE', INBOX, 0, -1),
  redis.call('LRANGE', RESULTS, 0, -1),
  redis.call('LRANGE', WRITTEN, 0, -1),
  redis.call('GET', ENDED),
}

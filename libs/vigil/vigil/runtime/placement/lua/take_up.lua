-- KEYS: expiry, fence, heard. ARGV: member, fence. Notes that the session is heard by whoever has claimed it with this
-- fence; by nobody else, and not once the session is closed.
redis.call('ZREM', KEYS[1], '') -- a script that has begun to write is let finish when Redis has no memory left
if redis.call('ZSCORE', KEYS[1], ARGV[1]) and redis.call('HGET', KEYS[2], ARGV[1]) == ARGV[2] then
  redis.call('HSET', KEYS[3], ARGV[1], ARGV[2])
end
return 'ok'

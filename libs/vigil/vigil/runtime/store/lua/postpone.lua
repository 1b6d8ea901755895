-- KEYS: due. ARGV: pairs of when to look again, in ms, and member. One that was forgotten meanwhile stays forgotten.
redis.call('ZREM', KEYS[1], '') -- a script that has begun to write is let finish when Redis has no memory left
for index = 1, #ARGV, 2 do redis.call('ZADD', KEYS[1], 'XX', ARGV[index], ARGV[index + 1]) end
return 'ok'

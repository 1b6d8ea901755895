-- Takes an entry that `bounded_put` stored, once.
-- KEYS: the entry, the set of all. ARGV: digest. Returns the entry, or nothing.
local found = redis.call('GET', KEYS[1])
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return found

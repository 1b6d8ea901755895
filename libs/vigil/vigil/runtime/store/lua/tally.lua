-- What the replicas of the gateway use of the bounds that they share.
-- KEYS: used. ARGV: replica, life in ms, what it uses as JSON. Returns what each other live replica said last.
redis.call('HDEL', KEYS[1], '') -- a script that has begun to write is let finish when Redis has no memory left
local now = redis.call('TIME')
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f:%s', now_ms + ARGV[2], ARGV[3]))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local others, said = {}, redis.call('HGETALL', KEYS[1])
for index = 1, #said, 2 do
  local until_ms, used = string.match(said[index + 1], '^(%d+):(.*)$')
  if not until_ms or tonumber(until_ms) <= now_ms then
    redis.call('HDEL', KEYS[1], said[index])
  elseif said[index] ~= ARGV[1] then
    others[#others + 1] = used
  end
end
return others

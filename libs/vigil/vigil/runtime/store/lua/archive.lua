-- What a session keeps beyond its prompt: summaries and exchanges as texts, and a few pictures. A field begins with its
-- time in ms. `bytes` counts those of the texts.

local function time_of(field)
  return tonumber(string.match(field, '^%d+')) or math.huge
end

-- Put texts into the archive; the oldest go when there are too many of them, or too much of them.
local function archive_texts(first, last, limit, bytes_limit)
  for index = first, last, 2 do
    local before = redis.call('HGET', ARCHIVE, ARGV[index]) or ''
    redis.call('HSET', ARCHIVE, ARGV[index], ARGV[index + 1])
    redis.call('HINCRBY', ARCHIVE, 'bytes', string.len(ARGV[index + 1]) - string.len(before))
  end
  local over = redis.call('HLEN', ARCHIVE) - 1 - limit
  local bytes = tonumber(redis.call('HGET', ARCHIVE, 'bytes') or '0')
  if over <= 0 and bytes <= bytes_limit then return end
  local fields = redis.call('HKEYS', ARCHIVE)
  table.sort(fields, function(left, right) return time_of(left) < time_of(right) end)
  for _, field in ipairs(fields) do
    if field == 'bytes' or (over <= 0 and bytes <= bytes_limit) then break end
    local size = string.len(redis.call('HGET', ARCHIVE, field))
    redis.call('HDEL', ARCHIVE, field)
    redis.call('HINCRBY', ARCHIVE, 'bytes', -size)
    over, bytes = over - 1, bytes - size
  end
end

-- Keep pictures of the chunk as key frames. When there are too many, the one goes that is closest to its neighbours, so
-- that those that are left are spread over the whole time.
local function keep_pictures(first, last, limit)
  for index = first, last, 2 do
    local jpeg = redis.call('HGET', FRAMES, ARGV[index])
    if jpeg then redis.call('HSET', KEYFRAMES, ARGV[index + 1], jpeg) end
  end
  local fields = redis.call('HKEYS', KEYFRAMES)
  table.sort(fields, function(left, right) return time_of(left) < time_of(right) end)
  while #fields > limit do
    local closest, gap = 1, math.huge
    for place = 2, #fields - 1 do
      local around = time_of(fields[place + 1]) - time_of(fields[place - 1])
      if around < gap then closest, gap = place, around end
    end
    redis.call('HDEL', KEYFRAMES, fields[closest])
    table.remove(fields, closest)
  end
end

-- ARGV: fence, commit id, the id it builds on (or empty), restart, published, consumed, consumed results,
--       outbox limit, frames limit, log limit, log entry, consumed blocks, whether all memory is forgotten, limits of
--       the archive in texts, bytes and pictures, then seven counted lists: changed parts of the state as place
--       in KEYS and value, turns, kept frame uuids (restart only), frames as uuid and JPEG, outgoing, texts for the
--       archive as field and value, pictures for it as uuid and field.
-- Returns what is left of the inbox, of the results and of the blocks.
local fence, id, after, restart = ARGV[1], ARGV[2], ARGV[3], ARGV[4] == '1'
local published, consumed, consumed_results = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local outbox_limit, frames_limit = tonumber(ARGV[8]), tonumber(ARGV[9])
local log_limit, log_entry = tonumber(ARGV[10]), ARGV[11]
local consumed_blocks, forgets = tonumber(ARGV[12]), ARGV[13] == '1'
local texts_limit, bytes_limit, pictures_limit = tonumber(ARGV[14]), tonumber(ARGV[15]), tonumber(ARGV[16])

local cursor = 17
local function counted()
  local first, last = cursor + 1, cursor + tonumber(ARGV[cursor])
  cursor = last + 1
  return first, last
end
local parts_first, parts_last = counted()
local turns_first, turns_last = counted()
local kept_first, kept_last = counted()
local frames_first, frames_last = counted()
local outgoing_first, outgoing_last = counted()
local texts_first, texts_last = counted()
local pictures_first, pictures_last = counted()

local function waiting()
  return {
    redis.call('LRANGE', INBOX, 0, -1), redis.call('LRANGE', RESULTS, 0, -1), redis.call('LRANGE', WRITTEN, 0, -1),
  }
end

if not exists(SPEC) then return 'unknown' end
if redis.call('GET', FENCE) ~= fence then return 'fence' end
-- The answer to this very commit was lost and it is sent again: it is done already.
local last = redis.call('GET', LAST)
if last == id then return waiting() end
-- One that was given up on and comes late must not overwrite what was built without it.
if after ~= '' and last ~= after then return 'fence' end
if exists(ENDED) and log_entry ~= '' then return 'ended' end

local kept = {}
for index = kept_first, kept_last do kept[ARGV[index]] = true end
local gone = {}
if restart then
  for _, uuid in ipairs(redis.call('HKEYS', FRAMES)) do
    if not kept[uuid] then gone[#gone + 1] = uuid end
  end
end
local frames = redis.call('HLEN', FRAMES) - #gone + (frames_last - frames_first + 1) / 2
if frames > frames_limit then return 'frames full' end
local outbox = redis.call('LLEN', OUTBOX) - published + outgoing_last - outgoing_first + 1
if outbox > outbox_limit then return 'outbox full' end

-- The first write may be refused for want of memory; it comes before anything is taken away.
redis.call('SET', LAST, id)
for index = parts_first, parts_last, 2 do redis.call('SET', KEYS[tonumber(ARGV[index])], ARGV[index + 1]) end
if forgets then redis.call('DEL', WRITTEN, ARCHIVE, KEYFRAMES) end
if pictures_last > pictures_first then keep_pictures(pictures_first, pictures_last, pictures_limit) end
if restart then
  redis.call('DEL', TURNS)
  for _, uuid in ipairs(gone) do redis.call('HDEL', FRAMES, uuid) end
end
for index = turns_first, turns_last do redis.call('RPUSH', TURNS, ARGV[index]) end
for index = frames_first, frames_last, 2 do redis.call('HSET', FRAMES, ARGV[index], ARGV[index + 1]) end
if published > 0 then redis.call('LTRIM', OUTBOX, published, -1) end
for index = outgoing_first, outgoing_last do redis.call('RPUSH', OUTBOX, ARGV[index]) end
if consumed > 0 then redis.call('LTRIM', INBOX, consumed, -1) end
if consumed_results > 0 then redis.call('LTRIM', RESULTS, consumed_results, -1) end
if consumed_blocks > 0 then redis.call('LTRIM', WRITTEN, consumed_blocks, -1) end
if texts_last > texts_first then archive_texts(texts_first, texts_last, texts_limit, bytes_limit) end
if log_entry ~= '' then
  redis.call('RPUSH', LOG, log_entry)
  redis.call('LTRIM', LOG, -log_limit, -1)
end
keep_expiry()
return waiting()

-- ARGV: sequence of a turn (or newest), index of one of its frames.
-- Returns the sequence, the frame's uuid and its JPEG; nothing when the current chunk does not have them.
if not exists(SPEC) then return 'unknown' end

local function turn_at(place)
  local found = redis.call('LRANGE', TURNS, place, place)[1]
  return found and cjson.decode(found)
end

local turn
if ARGV[1] == 'newest' then
  turn = turn_at(-1)
else
  -- The turns of a chunk have sequences without gaps.
  local oldest, wanted = turn_at(0), tonumber(ARGV[1])
  turn = oldest and wanted >= oldest.sequence and turn_at(string.format('%.0f', wanted - oldest.sequence))
end
local frame = turn and turn.frames[tonumber(ARGV[2]) + 1]
local jpeg = frame and redis.call('HGET', FRAMES, frame.uuid)
return jpeg and { turn.sequence, frame.uuid, jpeg }

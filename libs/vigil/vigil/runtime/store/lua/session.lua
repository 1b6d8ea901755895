-- Shared head of every session script. KEYS are all parts of one session, in the order of `Part`.
local SPEC, HEAD, MEMORY, INSTRUCTIONS, ALERTS, UTTERED, DIALOGUE, TASKS = unpack(KEYS, 1, 8)
local TURNS, FRAMES, OUTBOX, INBOX, RESULTS, WRITTEN = unpack(KEYS, 9, 14)
local FENCE, ORIGIN, STATUS, ENDED, LOG, LAST = unpack(KEYS, 15, 20)
local DELEGATED = KEYS[22]
local ARCHIVE = KEYS[23]
local KEYFRAMES = KEYS[24]

local function exists(key)
  return redis.call('EXISTS', key) == 1
end

-- The form of a document, which is its first field (`vigil.runtime.store.form`); 0 where it has none.
local function form_of(document)
  return tonumber(string.match(document or '', '^{"form":(%d+)') or '0')
end

-- The hash in which the work on a task stands, in the same slot as all keys of its session.
local function task_key(id)
  return string.sub(DELEGATED, 1, -string.len('delegated') - 1) .. 'task:' .. id
end

-- What is written to a session that will be forgotten (it ended, or was never confirmed) must not outlive it.
local function keep_expiry()
  local left_ms = redis.call('PTTL', SPEC)
  if left_ms > 0 then
    for _, key in ipairs(KEYS) do
      redis.call('PEXPIRE', key, left_ms)
    end
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', DELEGATED, '-inf', 'inf')) do
      redis.call('PEXPIRE', task_key(id), left_ms)
    end
  end
end

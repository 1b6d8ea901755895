-- Shared head of every session script. KEYS are all parts of one session, in the order of `Part`.
local SPEC, HEAD, TURNS, FRAMES, OUTBOX, INBOX = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local FENCE, ORIGIN, STATUS, ENDED, LOG, LAST = KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12]

local function exists(key)
  return redis.call('EXISTS', key) == 1
end

-- What is written to a session that will be forgotten (it ended, or was never confirmed) must not outlive it.
local function keep_expiry()
  local left_ms = redis.call('PTTL', SPEC)
  if left_ms > 0 then
    for _, key in ipairs(KEYS) do
      redis.call('PEXPIRE', key, left_ms)
    end
  end
end

-- Head of the scripts of one task, behind that of the session. The last key is the task's hash.
local TASK = KEYS[#KEYS]
local FINAL = { ready = true, error = true, cancelled = true }

local function now_ms()
  local now = redis.call('TIME')
  return now[1] * 1000 + math.floor(now[2] / 1000)
end

local function whole(number)
  return string.format('%.0f', number)
end

-- Whether the session waits for the task's answer.
local function is_open(id)
  local tasks = redis.call('GET', TASKS)
  if not tasks then return false end
  for _, task in ipairs(cjson.decode(tasks)) do
    if task.id == id then return true end
  end
  return false
end

-- Opens a session for several roles at once, or for none of them.
-- KEYS: expiry, workers, offers of the first role, then of the next. ARGV: member (empty: nothing is opened),
-- whether there must be room (1). Returns the numbers of the roles without a live worker, and of those that are full.
local missing, full = {}, {}
for first = 1, #KEYS, 3 do
  local is_open = ARGV[1] ~= '' and redis.call('ZSCORE', KEYS[first], ARGV[1]) -- by this very call, sent again
  if ARGV[2] == '1' and not is_open then
    local count, total = together(KEYS[first + 1], KEYS[first + 2])
    if count == 0 then
      missing[#missing + 1] = (first - 1) / 3
    elseif total <= redis.call('ZCARD', KEYS[first]) then
      full[#full + 1] = (first - 1) / 3
    end
  end
end
if ARGV[1] ~= '' and #missing == 0 and #full == 0 then
  for first = 1, #KEYS, 3 do redis.call('ZADD', KEYS[first], 'NX', now_ms, ARGV[1]) end -- it waits from here on
end
return {missing, full}

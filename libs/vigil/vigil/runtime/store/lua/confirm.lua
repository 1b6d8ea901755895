-- The session is whole: it stays until it ends.
if not exists(SPEC) then return 'unknown' end
if not exists(ENDED) then
  for _, key in ipairs(KEYS) do redis.call('PERSIST', key) end
end
return 'ok'

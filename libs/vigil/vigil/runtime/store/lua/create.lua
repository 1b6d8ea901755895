-- ARGV: spec, ms until it is forgotten unless it is confirmed (0: never), commands…
if exists(SPEC) then
  -- A repeated call finds what it wrote.
  return redis.call('GET', SPEC) == ARGV[1] and 'ok' or 'exists'
end
redis.call('SET', SPEC, ARGV[1])
for index = 3, #ARGV do
  redis.call('RPUSH', INBOX, ARGV[index])
end
if tonumber(ARGV[2]) > 0 then
  redis.call('PEXPIRE', SPEC, ARGV[2])
  keep_expiry()
end
return 'ok'

-- ARGV: spec, commands…
if exists(SPEC) then
  -- A repeated call finds what it wrote.
  return redis.call('GET', SPEC) == ARGV[1] and 'ok' or 'exists'
end
redis.call('SET', SPEC, ARGV[1])
for index = 2, #ARGV do
  redis.call('RPUSH', INBOX, ARGV[index])
end
return 'ok'

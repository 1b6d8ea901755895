-- ARGV: id of the block, entry, limit. The block waits until a chunk begins. One that waits already, or that the state
-- or the archive has, is not written again.
-- Returns 'ok', or 'there' when it was written before.
if not exists(SPEC) then return 'unknown' end
if exists(ENDED) then return 'ended' end
-- Texts in JSON have their quotation marks escaped, so none of them can look like the id of a block.
local named = '"id":"' .. ARGV[1] .. '"'
local entries = redis.call('LRANGE', WRITTEN, 0, -1)
for _, entry in ipairs({ redis.call('GET', MEMORY) or '', redis.call('HGET', ARCHIVE, ARGV[1]) or '', unpack(entries) }) do
  if string.find(entry, named, 1, true) then return 'there' end
end
if #entries >= tonumber(ARGV[3]) then return 'memory full' end
redis.call('RPUSH', WRITTEN, ARGV[2])
keep_expiry()
return 'ok'

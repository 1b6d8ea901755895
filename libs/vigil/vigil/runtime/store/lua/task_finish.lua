-- Ends the work on a task and gives its result to the session, both or neither.
-- ARGV: task, fence (empty: whoever holds it), state, digest, error, artefacts as JSON, most results that may wait, the
-- result (empty: none), why it is cancelled when the session is over, why when nobody waits for it any more.
-- Returns what came of it: given, over, withdrawn, done (it had ended before), overtaken, unknown, results full.
local state = redis.call('HGET', TASK, 'state')
if not state then return 'unknown' end
if FINAL[state] then return 'done' end
if ARGV[2] ~= '' and redis.call('HGET', TASK, 'fence') ~= ARGV[2] then return 'overtaken' end

local outcome, ended_as, why = 'given', ARGV[3], ARGV[5]
if exists(ENDED) or not exists(SPEC) then
  outcome, ended_as, why = 'over', 'cancelled', ARGV[9]
elseif not is_open(ARGV[1]) then
  outcome, ended_as, why = 'withdrawn', 'cancelled', ARGV[10]
elseif ARGV[8] ~= '' and redis.call('LLEN', RESULTS) >= tonumber(ARGV[7]) then
  return 'results full'
end

redis.call('HSET', TASK, 'state', ended_as, 'digest', ARGV[4], 'error', why, 'artefacts', ARGV[6])
redis.call('HSET', TASK, 'ended_ms', whole(now_ms()), 'lease_ms', '0')
if outcome == 'given' and ARGV[8] ~= '' then redis.call('RPUSH', RESULTS, ARGV[8]) end
keep_expiry()
return outcome

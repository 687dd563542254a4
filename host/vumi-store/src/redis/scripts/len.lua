-- How many entries a collection has. KEYS: key.
local commands = {list = 'LLEN', set = 'SCARD', zset = 'ZCARD', hash = 'HLEN'}
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'none' then
  return 0
elseif not commands[kind] then
  return redis.error_reply('WRONGTYPE Operation against a key holding the wrong kind of value')
end
return redis.call(commands[kind], KEYS[1])
